"""A small VGG network as Keras writes it, in every form, and what Keras computes with it.

Two convolutions of 4 channels, 28x28 pixels, fc1 and fc2 of 8, predictions of 3; parameter i is drawn from
Random(seed: 77, stream: i), kernels within sqrt(6 / inputs), biases within 0.1.

  keras/keras1.h5, keras2.h5      the names that the files of keras.applications have, written by h5py
  keras/model.h5                  model.save, whole: weights below model_weights
  keras/model.weights.h5          model.save_weights: layers/conv2d/vars/0
  keras/model.keras               model.save: an archive of the same
  keras/inside.weights.h5         the same inside another model
  keras/expected.safetensors      images [2, 28, 28, 3]; map [2, 7, 7, 4] after the last pool; features [2, 8] after fc2

`python3 tools/golden/keras_vgg.py` writes them into Tests/ModelsTests/Fixtures (Keras 3 over torch, h5py 3).
"""

import os

os.environ["KERAS_BACKEND"] = "torch"

import h5py
import keras
import numpy as np
from keras import layers

from fixtures import destination, write_tensors
from splitmix import Random, he_limit


def network() -> keras.Model:
    image = x = layers.Input((28, 28, 3))
    for block in (1, 2):
        x = layers.Conv2D(4, 3, padding="same", activation="relu", name=f"block{block}_conv1")(x)
        x = layers.MaxPooling2D(2, 2, name=f"block{block}_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    for index in (1, 2):
        x = layers.Dense(8, activation="relu", name=f"fc{index}")(x)
    model = keras.Model(image, layers.Dense(3, activation="softmax", name="predictions")(x), name="vgg16")
    for index, weight in enumerate(model.weights):
        limit = he_limit(np.prod(weight.shape[:-1])) if len(weight.shape) > 1 else 0.1
        weight.assign(Random(77, index).tensor(weight.shape, limit))
    return model


def write_applications(model: keras.Model, path, names: tuple[str, str]) -> None:
    """As the files of keras.applications are, whose layers' groups list their names."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([layer.name.encode() for layer in model.layers])
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.0.6"
        for layer in model.layers:
            group = file.create_group(layer.name)
            its = [name.format(layer.name) for name in names] if layer.weights else []
            group.attrs["weight_names"] = np.array([name.encode() for name in its])
            for name, weight in zip(its, layer.weights):
                group[name] = weight.numpy()


def main():
    model = network()
    write_applications(model, destination("ModelsTests", "keras/keras1.h5"), ("{0}_W_1:0", "{0}_b_1:0"))
    write_applications(model, destination("ModelsTests", "keras/keras2.h5"), ("{0}/kernel:0", "{0}/bias:0"))
    model.save(destination("ModelsTests", "keras/model.h5"))
    model.save_weights(destination("ModelsTests", "keras/model.weights.h5"))
    model.save(destination("ModelsTests", "keras/model.keras"))
    keras.Sequential([model, layers.Dense(2)]).save_weights(destination("ModelsTests", "keras/inside.weights.h5"))
    images = Random(77, 1000).tensor([2, 28, 28, 3], 1)
    parts = keras.Model(model.input, [model.get_layer(name).output for name in ("block2_pool", "fc2")])
    map, features = parts.predict(images, verbose=0)
    write_tensors(destination("ModelsTests", "keras/expected.safetensors"),
                  {"images": images, "map": map, "features": features}, __doc__)


if __name__ == "__main__":
    main()
