"""Makes Tests/BinarizedNetworksTests/Fixtures: a small random BERT in the Hugging Face layout with a reference implementation's outputs.

    pip install transformers tokenizers safetensors     (beside the packages of requirements.txt)
    python Benchmarks/peers/bert_fixture.py

Writes vocab.txt, bert.safetensors (BertForSequenceClassification, 3 classes) and expected.json: texts, their tokens by transformers'
BertTokenizer, and the encoder's last hidden states and the class scores for them, padded to one length.
"""
import json
import os

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Tests/BinarizedNetworksTests/Fixtures")
words = """[PAD] [UNK] [CLS] [SEP] [MASK] the a cat dog sat on mat run ##ning ##s un ##happy ##ily happ ##y cafe na ##ive is good bad film
not , . ! ? ' - ( ) 1 2 ##3 ##0 $ 中 文 ü stra ##sse ##ße e ##t""".split()
texts = [
    ("The cat sat on the mat.", None),
    ("UNHAPPY dogs!  running\tun-happily?", "A good film, is not bad."),
    ("Café naïve (1230) $2", None),
    ("中文 cat\u200b\ufffdzebra the'cat", "ÜSTRASSE straße"),
    ("", "the"),
]


def main():
    os.makedirs(folder, exist_ok=True)
    vocabulary = os.path.join(folder, "vocab.txt")
    with open(vocabulary, "w", encoding="utf-8") as file:
        file.write("\n".join(words) + "\n")
    tokenizer = BertTokenizer(vocabulary) if os.path.exists(vocabulary) else None
    encoded = [tokenizer(a, b, truncation="longest_first", max_length=20) if b is not None else tokenizer(a, max_length=20, truncation=True)
               for a, b in texts]
    torch.manual_seed(7)
    config = BertConfig(vocab_size=len(words), hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
                        max_position_embeddings=20, num_labels=3, initializer_range=0.3, attn_implementation="eager")
    model = BertForSequenceClassification(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or "LayerNorm" in name:
                parameter.add_(0.2 * torch.randn_like(parameter))
        longest = max(len(e["input_ids"]) for e in encoded)
        pad = lambda row: row + [0] * (longest - len(row))
        ids = torch.tensor([pad(e["input_ids"]) for e in encoded])
        segments = torch.tensor([pad(e["token_type_ids"]) for e in encoded])
        mask = torch.tensor([pad([1] * len(e["input_ids"])) for e in encoded])
        hidden = model.bert(ids, attention_mask=mask, token_type_ids=segments).last_hidden_state
        scores = model(ids, attention_mask=mask, token_type_ids=segments).logits
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, os.path.join(folder, "bert.safetensors"))
    expected = {
        "texts": [[a] if b is None else [a, b] for a, b in texts],
        "tokens": [e["input_ids"] for e in encoded], "segments": [e["token_type_ids"] for e in encoded],
        "hidden": [[round(float(x), 6) for x in row.flatten()] for row in hidden], "scores": [[round(float(x), 6) for x in row] for row in scores],
    }
    with open(os.path.join(folder, "expected.json"), "w", encoding="utf-8") as file:
        json.dump(expected, file, ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    main()
