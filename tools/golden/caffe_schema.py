"""The part of Caffe's caffe.proto that weights need, as classes of google.protobuf: no compiler, no Caffe.

Field numbers and types are those of https://github.com/BVLC/caffe/blob/master/src/caffe/proto/caffe.proto.
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

Field = descriptor_pb2.FieldDescriptorProto
# name: (number, type, repeated, packed), a type in capitals being another message
MESSAGES = {
    "BlobShape": {"dim": (1, "int64", True, True)},
    "BlobProto": {"num": (1, "int32"), "channels": (2, "int32"), "height": (3, "int32"), "width": (4, "int32"),
                  "data": (5, "float", True, True), "diff": (6, "float", True, True), "shape": (7, "BlobShape"),
                  "double_data": (8, "double", True, True)},
    # As writers without packing make it.
    "UnpackedBlobProto": {"num": (1, "int32"), "channels": (2, "int32"), "height": (3, "int32"),
                          "width": (4, "int32"), "data": (5, "float", True, False)},
    "LayerParameter": {"name": (1, "string"), "type": (2, "string"), "bottom": (3, "string", True),
                       "top": (4, "string", True), "blobs": (7, "BlobProto", True)},
    "V1LayerParameter": {"bottom": (2, "string", True), "top": (3, "string", True), "name": (4, "string"),
                         "type": (5, "int32"), "blobs": (6, "UnpackedBlobProto", True)},
    "NetParameter": {"name": (1, "string"), "layers": (2, "V1LayerParameter", True), "input": (3, "string", True),
                     "layer": (100, "LayerParameter", True)},
}


def classes() -> dict:
    file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe", syntax="proto2")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for key, (number, kind, *rest) in fields.items():
            repeated, packed = (list(rest) + [False, False])[:2]
            field = message.field.add(name=key, number=number)
            field.label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
            if kind in MESSAGES:
                field.type, field.type_name = Field.TYPE_MESSAGE, f".caffe.{kind}"
            else:
                field.type = getattr(Field, f"TYPE_{kind.upper()}")
                if repeated and kind != "string":
                    field.options.packed = packed
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"caffe.{name}")) for name in MESSAGES}


CLASSES = classes()
V1_TYPES = {"Convolution": 4, "InnerProduct": 14, "ReLU": 18, "Pooling": 17, "Dropout": 6, "Softmax": 20}


def network(name: str, layers: list, year: int = 2015, doubles: tuple = ()) -> bytes:
    """A caffemodel of layers (name, type, arrays), of today's form or that of 2014; arrays of layers in `doubles` in
    double precision."""
    net = CLASSES["NetParameter"](name=name)
    for layer_name, kind, arrays in layers:
        if year == 2014:
            layer = net.layers.add(name=layer_name, type=V1_TYPES[kind], bottom=["x"], top=["x"])
        else:
            layer = net.layer.add(name=layer_name, type=kind, bottom=["x"], top=["x"])
        for array in arrays:
            blob = layer.blobs.add()
            if year == 2014:
                extents = [1] * (4 - array.ndim) + list(array.shape)
                blob.num, blob.channels, blob.height, blob.width = extents
            else:
                blob.shape.dim.extend(array.shape)
            scalars = array.flatten().tolist()
            (blob.double_data if layer_name in doubles else blob.data).extend(scalars)
    return net.SerializeToString(deterministic=True)
