"""Asks a running captioner service as clients of Ollama, OpenAI and Hugging Face do; prints what they get.

    clients.py URL PHOTO [TOKEN]
"""
import base64
import sys

import huggingface_hub
import ollama
import openai

url, photo = sys.argv[1].rstrip("/"), sys.argv[2]
token = sys.argv[3] if len(sys.argv) > 3 else "none"
with open(photo, "rb") as file:
    data = file.read()
data_url = "data:image/jpeg;base64," + base64.b64encode(data).decode()
found = []


def tell(name, text):
    print(f"{name:34} {text}")
    assert text, name
    found.append(text.strip())


client = ollama.Client(url, headers={"Authorization": f"Bearer {token}"})
model = client.list().models[0].model
print("ollama list", model, client.show(model).capabilities, client.ps().models[0].model)
tell("ollama generate", client.generate(model, "What is this?", images=[photo]).response)
parts = client.generate(model, "What is this?", images=[data], stream=True)
tell("ollama generate, streamed", "".join(part.response for part in parts))
message = {"role": "user", "content": "What is this?", "images": [photo]}
tell("ollama chat", client.chat(model, [message]).message.content)
parts = client.chat(model, [message], stream=True)
tell("ollama chat, streamed", "".join(part.message.content for part in parts))
try:
    client.generate(model, "What is the capital of France?")
    raise SystemExit("ollama generate without an image: expected an error")
except ollama.ResponseError as error:
    print("ollama without an image:", error.status_code, error.error)

client = openai.OpenAI(base_url=url + "/v1", api_key=token)
model = client.models.list().data[0].id
assert client.models.retrieve(model).id == model
content = [
    {"type": "text", "text": "What is this?"},
    {"type": "image_url", "image_url": {"url": data_url}},
]
messages = [{"role": "user", "content": content}]
answer = client.chat.completions.create(model=model, messages=messages, logprobs=True)
tell("openai chat", answer.choices[0].message.content)
print("openai log-probs", [(word.token, round(word.logprob, 2)) for word in answer.choices[0].logprobs.content])
answer = client.chat.completions.create(model=model, messages=messages, n=3)
print("openai n=3", [choice.message.content for choice in answer.choices])
parts = client.chat.completions.create(
    model=model, messages=messages, stream=True, stream_options={"include_usage": True})
tell("openai chat, streamed",
     "".join(part.choices[0].delta.content or "" for part in parts if part.choices))
question = [{"role": "user", "content": [{"type": "input_image", "image_url": data_url, "detail": "auto"}]}]
tell("openai responses", client.responses.create(model=model, input=question).output_text)
with client.responses.stream(model=model, input=question) as stream:
    deltas = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
    assert deltas == stream.get_final_response().output_text
    tell("openai responses, streamed", deltas)
try:
    content[1]["image_url"]["url"] = "https://example.org/photo.jpg"
    client.chat.completions.create(model=model, messages=messages)
    raise SystemExit("openai chat with a remote image: expected an error")
except openai.BadRequestError as error:
    print("openai with a remote image:", error.status_code, error.body["message"])

for place in (url, url + "/models/captioner"):
    client = huggingface_hub.InferenceClient(model=place, token=token)
    tell(f"huggingface_hub {place}", client.image_to_text(photo).generated_text)

assert len(set(found)) == 1, found
print("all the same")
