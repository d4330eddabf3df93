"""A byte-pair tokenizer: merges by rank, special tokens, truncation, and the way back."""

import torch
from torch import Tensor, nn

import ingot

MERGES = [
    "l o",
    "lo w",
    "e r",
    "n e",
    "ne w",
    "e s",
    "es t",
    "w i",
    "wi d",
    "low er",
    "t h",
    "th e",
]
SPECIAL = {"<pad>": 0, "<unk>": 1, "<s>": 2, "</s>": 3}


class Tokenizer(nn.Module):
    vocabulary: dict[str, int]
    ranks: dict[str, int]

    def __init__(self):
        super().__init__()
        tokens = [
            *SPECIAL,
            *"abcdefghijklmnopqrstuvwxyz▁.,!'",
            *(m.replace(" ", "") for m in MERGES),
        ]
        self.vocabulary = {token: i for i, token in enumerate(tokens)}
        self.inverse = {i: token for token, i in self.vocabulary.items()}
        self.ranks = {pair: i for i, pair in enumerate(MERGES)}
        self.max_length = 24

    def split(self, word: str) -> list[str]:
        parts = [character for character in word]
        while len(parts) > 1:
            best, place = len(self.ranks), -1
            for i in range(len(parts) - 1):
                rank = self.ranks.get(parts[i] + " " + parts[i + 1], len(self.ranks))
                if rank < best:
                    best, place = rank, i
            if place < 0:
                break
            parts = [*parts[:place], parts[place] + parts[place + 1], *parts[place + 2 :]]
        return parts

    def normalise(self, text: str) -> str:
        text = text.strip().lower().replace("\t", " ")
        out: list[str] = []
        for c in text:
            if c in ".,!" and len(out) > 0:
                out.append(" ")
            out.append(c)
        return "".join(out)

    @ingot.export
    def tokens(self, text: str) -> list[str]:
        found: list[str] = []
        for word in self.normalise(text).split():
            found.extend(self.split("▁" + word))
        return found

    @ingot.export
    def encode(self, text: str, add_special: bool = True) -> list[int]:
        ids = [self.vocabulary.get(t, self.vocabulary["<unk>"]) for t in self.tokens(text)]
        if add_special:
            room = self.max_length - 2
            ids = [self.vocabulary["<s>"], *ids[:room], self.vocabulary["</s>"]]
        return ids

    def forward(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        rows = [self.encode(t) for t in texts]
        longest = max([len(r) for r in rows]) if len(rows) > 0 else 0
        ids = torch.zeros(len(rows), longest, dtype=torch.long)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
        return ids, ids != 0

    @ingot.export
    def decode(self, ids: Tensor, skip_special: bool = True) -> list[str]:
        texts: list[str] = []
        rows: list[list[int]] = ids.tolist()
        for row in rows:
            pieces: list[str] = []
            for i in row:
                piece = self.inverse.get(i, "<unk>")
                if skip_special and piece.startswith("<") and piece.endswith(">"):
                    continue
                pieces.append(piece)
            texts.append("".join(pieces).replace("▁", " ").lstrip())
        return texts


def target():
    return Tokenizer()


CALLS = [
    ("forward", (["the lowest newer wider lower", "", "  Wow!  Low, new.\t"],)),
    ("forward", ([],)),
    ("tokens", ("the newest lower",)),
    ("tokens", ("",)),
    ("encode", ("lower Ünï! 'new'", False)),
    ("encode", ("lower " * 40,)),
    ("decode", (torch.tensor([[2, 30, 15, 3, 0], [2, 99, 43, 44, 3]]), True)),
    ("decode", (torch.tensor([[2, 30, 3]]), False)),
]
