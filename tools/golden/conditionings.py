"""Golden values of decoders by the way the image enters: log-probabilities, loss, every gradient, attention weights.

The captions, the packing and the LSTM are decoder.py's. v [N,D] and the regions [N,R,C] are given. Ways, each with the
equations that PyTorch differentiates here:

  input      x_-1 = W_img v + b_img is read before the first word; its output is not scored
  rectified  the same with x_-1 = ReLU(W_img v + b_img), as neuraltalk2 has it
  states     [h, c of each layer] = tanh(W_0 v + b_0) before the first word, two layers, beside W_ih v at every step
  upper      W_ih v enters layer 1 of two
  soft       a = relu(W_e x + b_e); k = W_k a + b_k; e_i = w . tanh(k_i + W_q h_{t-1}); alpha = softmax e;
             gates += W_z sum alpha_i a_i + W_ih v
  gated      the same without W_ih v, the sum times beta = sigmoid(w_b . h_{t-1} + b_b); and the loss has
             0.7 mean over captions and regions of (1 - sum_t alpha)^2
  attend     [h, c] = W_0 v + b_0 before the first word; soft with e_i = w . relu(k_i + W_q h_{t-1}), without W_ih v, the sum
             times beta = sigmoid(W_b h_{t-1} + b_b), a number for each of its own
  hard       as soft, but where locations [P] names a region its a_i is seen instead of the sum (-1: the sum); with R the
             log-probability of a position's whole caption, a number, the loss has
             - 1/P sum over those positions of 0.4 (R + 9) log alpha_i - 0.7/P sum over all of the entropy of alpha
  hard_gated  the same without W_ih v, what is seen times beta as in gated, without the penalty
  topdown    gates1 = W_x x + W_m mean(a) + W_ih v + U_12 h2_{t-1} + U_11 h1_{t-1} + b1; attention by h1_t;
             gates2 = W_2 [z, h1_t] + U_22 h2_{t-1} + b2; logits of h2
  topdown_alone  the same without W_ih v
  mrnn       the recurrent layer reads words alone; m = 1.7159 tanh(2/3 (V_w x + V_r h + V_I v + b)); logits of m
  memory     gates of s += W_ih v in the first half, rounded up, of each gate's units; u is another LSTM that reads words
             alone; logits of [s, u]; with v a number the loss has 0.6 mean (W_r u + b - v)^2

Computed in double precision, stored as float32.
`python3 tools/golden/conditionings.py` writes Tests/ModelsTests/Fixtures/conditionings.safetensors.
"""

import torch

from decoder import END, IMAGES, LENGTHS, START, lstm, uniform
from fixtures import destination, write_tensors
from splitmix import Random, he_limit

V, E, H, D, C, R, A, K, M = 23, 7, 9, 11, 6, 5, 8, 4, 10
PENALTY = 0.7
REWARD, BASELINE, ENTROPY = 0.4, -9.0, 0.7
U, RECONSTRUCTION = 6, 0.6
WAYS = ["input", "states", "upper", "soft", "gated", "topdown", "topdown_alone", "mrnn", "hard", "hard_gated", "memory", "rectified", "attend"]
SOFT = ("soft", "gated", "hard", "hard_gated", "attend")
LOCATIONS = [2, 0, -1, 4, 1, 3, -1, 0, 2, 2, -1, 1, 4, 3, 0]


def shapes(way):
    layers = 2 if way in ("states", "upper") else 1
    top_down = way.startswith("topdown")
    result = {"decoder.embedding.weight": [V, E], "decoder.lstm.weight_xh": [4 * H, E],
              "decoder.lstm.weight_hh": [4 * H, H], "decoder.lstm.bias": [4 * H]}
    if layers == 2 or top_down:
        result |= {"decoder.lstm1.weight_xh": [4 * H, A + H if top_down else H],
                   "decoder.lstm1.weight_hh": [4 * H, H], "decoder.lstm1.bias": [4 * H]}
    if way not in ("input", "rectified", "gated", "topdown_alone", "mrnn", "hard_gated", "attend"):
        result["decoder.image_to_hidden.weight"] = [4 * (H - H // 2 if way == "memory" else H), D]
    if way == "memory":
        result |= {"decoder.memory.weight_xh": [4 * U, E], "decoder.memory.weight_hh": [4 * U, U],
                   "decoder.memory.bias": [4 * U], "decoder.reconstruction.weight": [D, U],
                   "decoder.reconstruction.bias": [D]}
    if way in ("input", "rectified"):
        result |= {"decoder.image_to_input.weight": [E, D], "decoder.image_to_input.bias": [E]}
    if way in ("states", "attend"):
        states = (4 if way == "states" else 2) * H
        result |= {"decoder.image_to_states.weight": [states, D], "decoder.image_to_states.bias": [states]}
    if way in SOFT or top_down:
        at = "decoder.attention"
        result |= {f"{at}.regions.weight": [A, C], f"{at}.regions.bias": [A], f"{at}.keys.weight": [K, A],
                   f"{at}.keys.bias": [K], f"{at}.query.weight": [K, H], f"{at}.scorer.weight": [1, K]}
        result |= {f"{at}.mean_to_hidden.weight": [4 * H, A], "decoder.feedback.weight": [4 * H, H]} if top_down else {
            f"{at}.to_hidden.weight": [4 * H, A]}
    if way.endswith("gated"):
        result |= {"decoder.attention.gate.weight": [1, H], "decoder.attention.gate.bias": [1]}
    if way == "attend":
        result |= {"decoder.attention.gate.weight": [A, H], "decoder.attention.gate.bias": [A]}
    if way == "mrnn":
        result |= {"decoder.word_to_multimodal.weight": [M, E], "decoder.hidden_to_multimodal.weight": [M, H],
                   "decoder.image_to_multimodal.weight": [M, D], "decoder.image_to_multimodal.bias": [M]}
    outputs = {"mrnn": M, "memory": H + U}.get(way, H)
    return result | {"decoder.output.weight": [V, outputs], "decoder.output.bias": [V]}


def attend(p, a, h, compare=torch.tanh):
    """alpha [rows, R] and z [rows, A] of rows that look at a [rows, R, A] with h [rows, H]."""
    at = "decoder.attention"
    keys = a @ p[f"{at}.keys.weight"].T + p[f"{at}.keys.bias"]
    e = compare(keys + (h @ p[f"{at}.query.weight"].T)[:, None]) @ p[f"{at}.scorer.weight"][0]
    alpha = torch.softmax(e, 1)
    return alpha, (alpha[:, :, None] * a).sum(1)


def forward(p, way, v, regions, inputs, batch_sizes, locations=None):
    """What the logits are made of at every position [P, H or M], and alpha [P, R] where there is attention."""
    images = torch.tensor(IMAGES)
    B = batch_sizes[0]

    def cell(layer, x, h, c, context):
        name = f"decoder.lstm{layer or ''}."
        name = "decoder.memory." if layer == "memory" else name
        return lstm(x, h, c, {kind: p[name + kind] for kind in ("weight_xh", "weight_hh", "bias")}, context)

    zero = torch.zeros(B, H, dtype=torch.double)
    nothing = torch.zeros(B, 4 * H, dtype=torch.double)
    h, c = [zero, zero], [zero, zero]
    injected = (v @ p["decoder.image_to_hidden.weight"].T)[images] if "decoder.image_to_hidden.weight" in p else nothing
    if way == "memory":
        seen = injected.reshape(B, 4, H - H // 2)
        injected = torch.cat([seen, torch.zeros(B, 4, H // 2, dtype=torch.double)], 2).reshape(B, 4 * H)
        u, cu = torch.zeros(B, U, dtype=torch.double), torch.zeros(B, U, dtype=torch.double)
    if way in ("input", "rectified"):
        x = (v @ p["decoder.image_to_input.weight"].T + p["decoder.image_to_input.bias"])[images]
        x = torch.relu(x) if way == "rectified" else x
        h[0], c[0] = cell(0, x, h[0], c[0], nothing)
    if way == "states":
        states = torch.tanh(v @ p["decoder.image_to_states.weight"].T + p["decoder.image_to_states.bias"])[images]
        h[0], c[0], h[1], c[1] = states.split(H, 1)
    if way == "attend":
        h[0], c[0] = (v @ p["decoder.image_to_states.weight"].T + p["decoder.image_to_states.bias"])[images].split(H, 1)
    if "decoder.attention.regions.weight" in p:
        a = torch.relu(regions @ p["decoder.attention.regions.weight"].T + p["decoder.attention.regions.bias"])[images]
    hidden, weights, start = [], [], 0
    for live in batch_sizes:
        x = p["decoder.embedding.weight"][inputs[start : start + live]]
        h, c = [s[:live] for s in h], [s[:live] for s in c]
        start += live
        context = injected[:live]
        if way in SOFT:
            alpha, z = attend(p, a[:live], h[0], torch.relu if way == "attend" else torch.tanh)
            weights.append(alpha)
            if locations is not None:
                seen = locations[start - live : start]
                z = torch.where((seen >= 0)[:, None], a[torch.arange(live), seen.clamp(min=0)], z)
            if way.endswith("gated") or way == "attend":
                z = z * torch.sigmoid(h[0] @ p["decoder.attention.gate.weight"].T + p["decoder.attention.gate.bias"])
            context = context + z @ p["decoder.attention.to_hidden.weight"].T
        if way.startswith("topdown"):
            context = (context + a[:live].mean(1) @ p["decoder.attention.mean_to_hidden.weight"].T
                       + h[1] @ p["decoder.feedback.weight"].T)
        h[0], c[0] = cell(0, x, h[0], c[0], nothing[:live] if way == "upper" else context)
        if way.startswith("topdown"):
            alpha, z = attend(p, a[:live], h[0])
            weights.append(alpha)
            h[1], c[1] = cell(1, torch.cat([z, h[0]], 1), h[1], c[1], nothing[:live])
        elif way in ("states", "upper"):
            h[1], c[1] = cell(1, h[0], h[1], c[1], context if way == "upper" else nothing[:live])
        if way == "memory":
            u, cu = cell("memory", x, u[:live], cu[:live], torch.zeros(live, 4 * U, dtype=torch.double))
            hidden.append(torch.cat([h[0], u], 1))
            continue
        if way == "mrnn":
            image = (v @ p["decoder.image_to_multimodal.weight"].T + p["decoder.image_to_multimodal.bias"])[images]
            joined = (x @ p["decoder.word_to_multimodal.weight"].T + h[0] @ p["decoder.hidden_to_multimodal.weight"].T
                      + image[:live])
            hidden.append(1.7159 * torch.tanh(joined * 2 / 3))
            continue
        hidden.append(h[1] if "decoder.lstm1.bias" in p else h[0])
    return torch.cat(hidden), torch.cat(weights) if weights else None


def case(stream, way):
    p = {}
    for i, (name, shape) in enumerate(shapes(way).items()):
        limit = 1.0 if name == "decoder.embedding.weight" else 0.3 if len(shape) == 1 else he_limit(shape[1])
        p[name] = uniform(shape, limit, stream, i).requires_grad_()
    v = uniform([3, D], 1.0, stream, 100).requires_grad_()
    regions = uniform([3, R, C], 1.0, stream, 101).requires_grad_()
    words = (Random(1234, stream, 102).uniform(sum(LENGTHS)) * (V - 3)).astype(int) + 3
    captions, at = [], 0
    for length in LENGTHS:
        captions.append([int(word) for word in words[at : at + length]])
        at += length
    steps = [([START] + caption, caption + [END]) for caption in captions]
    batch_sizes = [sum(length + 1 > t for length in LENGTHS) for t in range(max(LENGTHS) + 1)]
    inputs = [step[0][t] for t, live in enumerate(batch_sizes) for step in steps[:live]]
    targets = [step[1][t] for t, live in enumerate(batch_sizes) for step in steps[:live]]

    hidden = None

    def speak(locations=None):
        nonlocal hidden
        hidden, weights = forward(p, way, v, regions, torch.tensor(inputs), batch_sizes, locations)
        logits = hidden @ p["decoder.output.weight"].T + p["decoder.output.bias"]
        return torch.log_softmax(logits, 1)[torch.arange(len(targets)), torch.tensor(targets)], weights

    hard = way.startswith("hard")
    locations = torch.tensor((LOCATIONS * 9)[: len(targets)]) if hard else None
    log_probs, weights = speak(locations)
    loss = -log_probs.mean()
    if way == "memory":
        image_of = torch.tensor([IMAGES[k] for live in batch_sizes for k in range(live)])
        made = hidden[:, H:] @ p["decoder.reconstruction.weight"].T + p["decoder.reconstruction.bias"]
        loss = loss + RECONSTRUCTION * ((made - v.detach()[image_of]) ** 2).mean()
    if hard:
        caption_of = torch.tensor([k for live in batch_sizes for k in range(live)])
        worth = torch.zeros(len(IMAGES), dtype=torch.double).index_add(0, caption_of, log_probs.detach())[caption_of]
        drawn = locations >= 0
        log_alpha = torch.log(weights[torch.arange(len(targets)), locations.clamp(min=0)])
        loss = loss - (REWARD * (worth - BASELINE) * log_alpha)[drawn].sum() / len(targets)
        loss = loss + ENTROPY * (weights * torch.log(weights)).sum(1).mean()
    if way == "gated":
        caption_of = torch.tensor([k for live in batch_sizes for k in range(live)])
        covered = torch.zeros(len(IMAGES), R, dtype=torch.double).index_add(0, caption_of, weights)
        loss = loss + PENALTY * ((1 - covered) ** 2).mean()
    loss.backward()
    tensors = dict(p) | {"v": v, "regions": regions, "image_index": IMAGES, "inputs": inputs, "targets": targets,
                         "batch_sizes": batch_sizes, "log_probs": log_probs, "loss": loss.reshape(1)}
    tensors |= {f"gradient.{name}": value.grad for name, value in p.items()}
    if hard:
        tensors |= {"locations": locations, "expected_log_probs": speak()[0]}
    if "decoder.image_to_hidden.weight" in p or way in ("input", "rectified", "mrnn", "attend"):
        tensors["gradient.v"] = v.grad
    if weights is not None:
        tensors |= {"weights": weights, "gradient.regions": regions.grad}
    return tensors


def main():
    torch.set_num_threads(1)
    tensors = {}
    for stream, way in enumerate(WAYS, start=500):
        tensors |= {f"{way}.{key}": value for key, value in case(stream, way).items()}
    write_tensors(destination("ModelsTests", "conditionings.safetensors"), tensors, __doc__)


if __name__ == "__main__":
    main()
