"""transformers' families: text, speech, images, and key/value caches passed in and out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from tests.models.family import Family, Inputs, check, families
from tests.trace.vision import torchvision
from torch import Tensor, nn

torchvision()  # transformers imports it, and it only loads where its ops are declared
transformers = __import__("transformers")

VOCABULARY = 50
NO_TOKENS = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}


def tokens(batch: int, length: int) -> Inputs:
    return (torch.randint(3, VOCABULARY, (batch, length)),)


def ids(*sizes: tuple[int, int]) -> Callable[[], list[Inputs]]:
    return lambda: [tokens(*size) for size in sizes]


def with_mask(*sizes: tuple[int, int]) -> Callable[[], list[Inputs]]:
    def make() -> list[Inputs]:
        found = []
        for batch, length in sizes:
            mask = torch.ones(batch, length, dtype=torch.int64)
            mask[0, length // 2 + 1 :] = 0
            found.append((torch.randint(3, VOCABULARY, (batch, length)), mask))
        return found

    return make


TEXT = ids((1, 7), (3, 17), (2, 1))
MASKED = with_mask((2, 7), (1, 9), (3, 17))


def config(name: str, **options: Any) -> Any:
    """A configuration of the usual names: two layers, 16 wide, two heads."""
    sizes = {
        "vocab_size": VOCABULARY,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    return getattr(transformers, name)(**{**sizes, **options})


class First(nn.Module):
    """A model's first output, or that of a name, from positional inputs of other names."""

    def __init__(self, model: nn.Module, *names: str, output: str | int = 0, **fixed: Any) -> None:
        super().__init__()
        self.model = model
        self.names = names or ("input_ids", "attention_mask")
        self.output = output
        self.fixed = fixed

    def forward(self, *inputs: Tensor) -> Tensor:
        given = dict(zip(self.names, inputs, strict=False))
        return self.model(**given, **self.fixed)[self.output]


class CachedStep(nn.Module):
    """Tokens after a cache: ids i64[N, T], keys and values f32[N, heads, P, width] of each
    layer -> logits, and the same with P + T."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        cache = dynamic_cache(past)
        output = self.model(input_ids=ids, past_key_values=cache, use_cache=True)
        return output.logits, *cache_tensors(output.past_key_values)


def dynamic_cache(past: tuple[Tensor, ...]) -> Any:
    cache = transformers.DynamicCache()
    for layer in range(len(past) // 2):
        cache.update(past[2 * layer], past[2 * layer + 1], layer)
    return cache


def cache_tensors(cache: Any) -> list[Tensor]:
    return [t for layer in cache.layers for t in (layer.keys, layer.values)]


def steps(heads: int = 2, width: int = 8, layers: int = 2) -> Callable[[], list[Inputs]]:
    def make() -> list[Inputs]:
        return [
            (
                torch.randint(3, VOCABULARY, (batch, length)),
                *(torch.randn(batch, heads, past, width) for _ in range(2 * layers)),
            )
            for batch, length, past in ((1, 1, 5), (3, 1, 12), (2, 1, 1))
        ]

    return make


class T5Step(nn.Module):
    """A decoder's step: token, the encoder's output, and the caches of both attentions."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, encoded: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        cache = transformers.EncoderDecoderCache(dynamic_cache(past), transformers.DynamicCache())
        output = self.model(
            decoder_input_ids=ids, encoder_outputs=(encoded,), past_key_values=cache, use_cache=True
        )
        new = output.past_key_values.self_attention_cache
        return output.logits, *cache_tensors(new)


def t5_steps() -> list[Inputs]:
    return [
        (
            torch.randint(3, VOCABULARY, (batch, 1)),
            torch.randn(batch, length, 16),
            *(torch.randn(batch, 2, past, 8) for _ in range(4)),
        )
        for batch, length, past in ((1, 6, 3), (3, 9, 12), (2, 1, 1))
    ]


def t5_config() -> Any:
    return transformers.T5Config(
        vocab_size=VOCABULARY, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2,
        decoder_start_token_id=0,
    )  # fmt: skip


def t5_encoder() -> nn.Module:
    return First(transformers.T5EncoderModel(t5_config()))


def t5_step() -> nn.Module:
    return T5Step(transformers.T5ForConditionalGeneration(t5_config()))


def encoder(name: str, **options: Any) -> Callable[[], nn.Module]:
    """``"Bert"`` with a head for classification."""

    def make() -> nn.Module:
        model = getattr(transformers, f"{name}ForSequenceClassification")
        return First(model(config(f"{name}Config", num_labels=5, **options)))

    return make


def distilbert() -> nn.Module:
    own = transformers.DistilBertConfig(
        vocab_size=VOCABULARY, dim=16, n_layers=2, n_heads=2, hidden_dim=32
    )
    return First(transformers.DistilBertForMaskedLM(own))


def gpt2_model() -> nn.Module:
    own = transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=2, n_positions=32, **NO_TOKENS
    )
    return transformers.GPT2LMHeadModel(own)


def decoder(name: str, **options: Any) -> Callable[[], nn.Module]:
    """``"Llama"`` with its language model's head."""
    sizes = {"num_key_value_heads": 1, "max_position_embeddings": 64, "head_dim": 8}

    def make() -> nn.Module:
        own = config(f"{name}Config", **{**sizes, **options})
        return getattr(transformers, f"{name}ForCausalLM")(own)

    return make


MIXTRAL = {"num_local_experts": 4, "num_experts_per_tok": 2}


def whole(make: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    return lambda: First(make(), use_cache=False)


def step(make: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    return lambda: CachedStep(make())


class Whisper(nn.Module):
    """Features f32[N, mels, frames] and tokens -> logits."""

    def __init__(self) -> None:
        super().__init__()
        own = transformers.WhisperConfig(
            vocab_size=VOCABULARY, num_mel_bins=8, d_model=16, encoder_layers=2, decoder_layers=2,
            encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32,
            decoder_ffn_dim=32, max_source_positions=20, max_target_positions=32,
            pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
        )  # fmt: skip
        self.model = transformers.WhisperForConditionalGeneration(own)

    def forward(self, features: Tensor, ids: Tensor) -> Tensor:
        return self.model(input_features=features, decoder_input_ids=ids, use_cache=False).logits


def whisper_inputs() -> list[Inputs]:
    return [
        (torch.randn(n, 8, 40), torch.randint(3, VOCABULARY, (n, length)))
        for n, length in ((1, 4), (3, 9), (2, 1))
    ]


def wav2vec2() -> nn.Module:
    own = config(
        "Wav2Vec2Config", conv_dim=(16, 16), conv_stride=(5, 2), conv_kernel=(10, 3),
        num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    return First(transformers.Wav2Vec2ForCTC(own), "input_values")


def waves() -> list[Inputs]:
    return [(torch.randn(n, length),) for n, length in ((1, 400), (3, 731))]


class Clip(nn.Module):
    """Tokens and images -> the similarity of each pair, both embeddings."""

    def __init__(self) -> None:
        super().__init__()
        sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
                 "num_attention_heads": 2, "projection_dim": 16}  # fmt: skip
        text = {**sizes, "vocab_size": VOCABULARY, "max_position_embeddings": 16,
                "eos_token_id": VOCABULARY - 1, "bos_token_id": 1}  # fmt: skip
        own = transformers.CLIPConfig(
            text_config=text,
            vision_config={**sizes, "image_size": 32, "patch_size": 8},
            projection_dim=16,
        )
        self.model = transformers.CLIPModel(own)

    def forward(self, ids: Tensor, images: Tensor) -> tuple[Tensor, ...]:
        output = self.model(input_ids=ids, pixel_values=images)
        return output.logits_per_image, output.text_embeds, output.image_embeds


def clip_inputs() -> list[Inputs]:
    found = []
    for texts, length, pictures in ((2, 7, 1), (3, 5, 2), (1, 16, 4)):
        tokens = torch.randint(3, VOCABULARY - 1, (texts, length))
        tokens[:, -1] = VOCABULARY - 1
        found.append((tokens, torch.randn(pictures, 3, 32, 32)))
    return found


def vit() -> nn.Module:
    own = config("ViTConfig", image_size=32, patch_size=8, num_labels=5)
    return First(transformers.ViTForImageClassification(own), "pixel_values")


def vit_at_any_size() -> nn.Module:
    own = config("ViTConfig", image_size=32, patch_size=8, num_labels=5)
    model = transformers.ViTForImageClassification(own)
    return First(model, "pixel_values", interpolate_pos_encoding=True)


def segformer() -> nn.Module:
    own = transformers.SegformerConfig(
        num_encoder_blocks=2, depths=[1, 1], sr_ratios=[4, 1], hidden_sizes=[8, 16],
        patch_sizes=[7, 3], strides=[4, 2], num_attention_heads=[1, 2], mlp_ratios=[2, 2],
        decoder_hidden_size=16, num_labels=5,
    )  # fmt: skip
    return First(transformers.SegformerForSemanticSegmentation(own), "pixel_values")


def mamba() -> nn.Module:
    own = transformers.MambaConfig(
        vocab_size=VOCABULARY, hidden_size=16, state_size=4, num_hidden_layers=2, time_step_rank=2
    )
    return First(transformers.MambaForCausalLM(own), "input_ids", use_cache=False)


def pictures(*sizes: tuple[int, int, int]) -> Callable[[], list[Inputs]]:
    return lambda: [(torch.randn(n, 3, h, w),) for n, h, w in sizes]


FAMILIES = [
    Family("bert", encoder("Bert"), TEXT, lambda: [(tokens(1, 513), "dimension 1")]),
    Family("bert with a mask", encoder("Bert"), MASKED),
    Family("distilbert", distilbert, MASKED),
    Family("roberta", encoder("Roberta", pad_token_id=1), MASKED),
    Family("gpt2", whole(gpt2_model), TEXT),
    Family("gpt2 step", step(gpt2_model), steps()),
    Family("llama", whole(decoder("Llama")), MASKED),
    Family("llama step", step(decoder("Llama")), steps(heads=1)),
    Family("mistral", whole(decoder("Mistral", sliding_window=8)), TEXT),
    Family("mistral step", step(decoder("Mistral", sliding_window=None)), steps(heads=1)),
    Family("qwen2", whole(decoder("Qwen2")), TEXT),
    Family("qwen2 step", step(decoder("Qwen2")), steps(heads=1)),
    Family("mixtral", whole(decoder("Mixtral", **MIXTRAL)), TEXT),
    Family("mixtral step", step(decoder("Mixtral", **MIXTRAL)), steps(heads=1)),
    Family("t5 encoder", t5_encoder, MASKED),
    Family("t5 decoder step", t5_step, t5_steps),
    Family("whisper", Whisper, whisper_inputs),
    Family("wav2vec2", wav2vec2, waves),
    Family("clip", Clip, clip_inputs),
    Family("vit", vit, pictures((1, 32, 32), (3, 32, 32))),
    Family("vit at any size", vit_at_any_size, pictures((1, 40, 64), (2, 64, 48), (2, 32, 40))),
    Family("segformer", segformer, pictures((1, 32, 32), (2, 47, 64))),
    Family("mamba", mamba, ids((1, 7), (3, 7)), lambda: [(tokens(1, 8), "dimension 1")]),
]


@families(FAMILIES)
def test_transformers(family: Family) -> None:
    for _ in check(family):
        pass
