"""ImageCaptioning.pytorch's models, by captioning/models/FCModel.py, ShowTellModel.py and AttModel.py."""

import argparse

import numpy as np
import torch

from captioner_parts import GIVEN, Weights, double, speak


def image_captioning(sizes, stream, name, v, regions, given=GIVEN):
    """A state dictionary, infos, and what the model says of v [N, D] and regions [N, 49, C]; top-down takes their mean as v."""
    draw = Weights(stream, 1.5)
    E, H, A, words = sizes["E"], sizes["H"], sizes.get("A", 5), sizes["words"] + ["UNK"]
    top_down = name == "topdown"
    v = regions.mean(1) if top_down else v
    V, D, C = len(words), v.shape[1], regions.shape[2]
    p, attends = {}, name == "att2in2" or top_down
    p["embed.0.weight" if attends else "embed.weight"] = draw(V + 1, E, limit=1.0)
    p |= {"logit.weight": draw(V + 1, H) * 1.5, "logit.bias": draw(V + 1)}
    p["logit.bias"][0] += sizes.get("end", 1.0)
    p["logit.bias"][V] = -20.0
    image = {"fc": "img_embed", "show_tell": "img_embed", "newfc": "fc_embed"}.get(name, "fc_embed.0")
    p |= {f"{image}.weight": draw(H if attends else E, D), f"{image}.bias": draw(H if attends else E)}
    core = "_core" if name == "newfc" else "core"
    if name == "show_tell":
        for layer in range(2):
            p |= {f"core.weight_ih_l{layer}": draw(4 * H, E if layer == 0 else H), f"core.weight_hh_l{layer}": draw(4 * H, H)}
    elif top_down:
        for layer, inputs in (("att_lstm", 2 * H + E), ("lang_lstm", 2 * H)):
            p |= {f"core.{layer}.weight_ih": draw(4 * H, inputs), f"core.{layer}.weight_hh": draw(4 * H, H),
                  f"core.{layer}.bias_ih": draw(4 * H), f"core.{layer}.bias_hh": draw(4 * H)}
    else:
        for kind, inputs in (("i2h", E), ("h2h", H)):
            p |= {f"{core}.{kind}.weight": draw(5 * H, inputs) / 1.5, f"{core}.{kind}.bias": draw(5 * H)}
    if attends:
        if top_down:
            # use_bn 1: a batch normalisation of the regions, by its statistics.
            p |= {"att_embed.0.weight": draw(C) + 1, "att_embed.0.bias": draw(C), "att_embed.0.running_mean": draw(C),
                  "att_embed.0.running_var": draw(C) + 0.5, "att_embed.0.num_batches_tracked": np.array(5)}
        embedded = "att_embed.1" if top_down else "att_embed.0"
        p |= {f"{embedded}.weight": draw(H, C), f"{embedded}.bias": draw(H), "ctx2att.weight": draw(A, H), "ctx2att.bias": draw(A)}
        if not top_down:
            p |= {"core.a2c.weight": draw(2 * H, H), "core.a2c.bias": draw(2 * H)}
        p |= {"core.attention.h2att.weight": draw(A, H),
              "core.attention.h2att.bias": draw(A), "core.attention.alpha_net.weight": draw(1, A) * 2, "core.attention.alpha_net.bias": draw(1)}
    w = {key: double(value) for key, value in p.items()}
    zero = torch.zeros(H, dtype=torch.double)

    def scores(h):
        return torch.log_softmax(w["logit.weight"] @ h + w["logit.bias"], 0)

    def maxout(x, h, c, seen=None):
        sums = w[f"{core}.i2h.weight"] @ x + w[f"{core}.i2h.bias"] + w[f"{core}.h2h.weight"] @ h + w[f"{core}.h2h.bias"]
        i, f, o = torch.sigmoid(sums[: 3 * H]).chunk(3)
        candidates = sums[3 * H :]
        if seen is not None:
            candidates = candidates + w["core.a2c.weight"] @ seen + w["core.a2c.bias"]
        c = f * c + i * torch.max(*candidates.chunk(2))
        return o * torch.tanh(c), c

    if name == "show_tell":
        layers = torch.nn.LSTM(E, H, 2, bias=False).double()
        layers.load_state_dict({key[5:]: w[key] for key in w if key.startswith("core.")})

        def read(x, state):
            with torch.no_grad():
                out, state = layers(x.reshape(1, 1, -1), state)
            return out.reshape(-1), state

        def begin(number):
            return read(w["img_embed.weight"] @ v[number] + w["img_embed.bias"], None)[1], 0

        def step(state, token):
            h, state = read(w["embed.weight"][token], state)
            return state, scores(h)
    elif attends:
        seen = regions
        if top_down:
            statistics = [w["att_embed.0." + key] for key in ("running_mean", "running_var", "weight", "bias")]
            seen = torch.nn.functional.batch_norm(regions.flatten(0, 1), *statistics).reshape(regions.shape)
        embedded = torch.relu(seen @ w[embedded + ".weight"].T + w[embedded + ".bias"])
        image_of = torch.relu(v @ w["fc_embed.0.weight"].T + w["fc_embed.0.bias"])
        keys = embedded @ w["ctx2att.weight"].T + w["ctx2att.bias"]

        def look(number, h):
            asked = w["core.attention.h2att.weight"] @ h + w["core.attention.h2att.bias"]
            e = torch.tanh(keys[number] + asked) @ w["core.attention.alpha_net.weight"][0] + w["core.attention.alpha_net.bias"]
            return torch.softmax(e, 0) @ embedded[number]

        def lstm(layer, x, h, c):
            weights = [w[f"core.{layer}.{kind}"] for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
            h, c = torch.lstm_cell(x[None], (h[None], c[None]), *weights)
            return h[0], c[0]

        def begin(number):
            return (number, zero, zero) + ((zero, zero) if top_down else ()), 0

        def step(states, token):
            word = torch.relu(w["embed.0.weight"][token])
            if not top_down:
                number, h, c = states
                h, c = maxout(word, h, c, look(number, h))
                return (number, h, c), scores(h)
            number, h1, c1, h2, c2 = states
            h1, c1 = lstm("att_lstm", torch.cat([h2, image_of[number], word]), h1, c1)
            h2, c2 = lstm("lang_lstm", torch.cat([look(number, h1), h1]), h2, c2)
            return (number, h1, c1, h2, c2), scores(h2)
    else:
        def begin(number):
            return maxout(w[f"{image}.weight"] @ v[number] + w[f"{image}.bias"], zero, zero), 0

        def step(states, token):
            states = maxout(w["embed.weight"][token], *states)
            return states, scores(states[0])

    vocabulary = {str(number): word for number, word in enumerate(words, start=1)}
    says = speak(step, begin, dict(enumerate(words, start=1)), 0, given)
    options = argparse.Namespace(caption_model=name, rnn_type="lstm" if name != "show_tell" else "LSTM", rnn_size=H, input_encoding_size=E,
                                 num_layers=2 if name == "show_tell" else 1, vocab_size=V, fc_feat_size=D, att_feat_size=C, use_bn=int(top_down),
                                 logit_layers=1, drop_prob_lm=0.5, seq_length=16)
    infos = {"iter": 10, "epoch": 1, "iterators": {"train": 5}, "best_val_score": np.float64(0.9), "opt": options, "vocab": vocabulary}
    return {key: torch.from_numpy(np.ascontiguousarray(value)) for key, value in p.items()}, infos, says
