"""The training loop, weights and models, on toy sizes."""

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

import autoencoder
import denoiser
import metrics
import storage
import weights
from training import Interrupted, Options, Trainer


class Line(nn.Module):
    """y = a x."""

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.zeros(()))


def squares(module, rng):
    x = torch.tensor(rng.standard_normal(16), dtype=torch.float32)
    loss = ((module.a * x - 3 * x) ** 2).mean()
    return loss, {"loss": loss.item()}


def stop_after(steps):
    calls = []

    def loss(module, rng):
        calls.append(None)
        if len(calls) == steps:
            trainer_of[0]._ask_to_stop()
        return squares(module, rng)

    trainer_of: list[Trainer] = []
    return loss, trainer_of


def test_trains_and_publishes_the_average(tmp_path):
    trainer = Trainer(Line(), tmp_path, Options(0.02, 0.1, warmup=1), fresh=True)
    published = []
    trainer.run(squares, lambda average: published.append(average.a.item()))
    assert trainer.finished and published[-1] == pytest.approx(3, abs=0.2)
    assert (tmp_path / "loss.csv").exists() and not (tmp_path / "checkpoint.tmp").exists()


def test_interrupted_training_resumes_exactly_where_it_was(tmp_path):
    options = Options(10, 0.1, warmup=1, hold=0.999)

    def train(folder, steps):
        trainer = Trainer(Line(), folder, options, fresh=True)
        trainer.resume()
        loss, holder = stop_after(steps)
        holder.append(trainer)
        with pytest.raises(Interrupted):
            trainer.run(loss, lambda _: None)
        return trainer

    whole = train(tmp_path / "whole", 12)
    train(tmp_path / "parts", 5)
    resumed = train(tmp_path / "parts", 7)
    assert resumed.progress.step == whole.progress.step == 12
    assert resumed.module.a.item() == pytest.approx(whole.module.a.item(), abs=1e-6)
    assert resumed.average.a.item() == pytest.approx(whole.average.a.item(), abs=1e-6)


def test_a_loss_that_is_no_number_ends_training(tmp_path):
    trainer = Trainer(Line(), tmp_path, Options(1, 0.1), fresh=True)
    with pytest.raises(FloatingPointError, match="lower the rate"):
        trainer.run(lambda m, _: (m.a * float("nan"), {}), lambda _: None)


def test_weights_fit_a_deeper_decoder_without_changing_it(tmp_path):
    torch.manual_seed(0)
    shallow, deep = autoencoder.Decoder(depths=(1, 2, 3)), autoencoder.Decoder()
    path = tmp_path / "w.safetensors"
    weights.save(shallow, path, 0.7)
    assert weights.load(deep, path) == 0.7
    z = torch.randn(1, 4, 16, 16)
    assert torch.allclose(shallow(z), deep(z), atol=1e-6)


def test_weights_of_another_architecture_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    weights.save(Line(), path, 1.0)
    with pytest.raises(ValueError, match="does not fit"):
        weights.load(autoencoder.Encoder(), path)


def test_shapes_and_schedule():
    model = autoencoder.Autoencoder()
    mean, log_variance = model.posterior(torch.zeros(2, 3, 128, 96))
    assert mean.shape == log_variance.shape == (2, 4, 16, 12)
    assert model.decoder(mean).shape == (2, 3, 128, 96)
    alphas = denoiser.alphas_cumprod()
    assert alphas[0] == pytest.approx(0.99915, abs=1e-5)
    assert alphas[-1] == pytest.approx(0.004660, abs=1e-5)


def test_reconstruction_loss_is_zero_only_for_no_error():
    assert autoencoder.reconstruction_loss(torch.zeros(1, 3, 8, 8)) == 0
    assert autoencoder.reconstruction_loss(torch.full((1, 3, 8, 8), 0.1)) > 0.1


def test_kl_of_the_standard_normal_is_zero():
    assert autoencoder.kl(torch.zeros(2, 4), torch.zeros(2, 4)) == 0


def test_metrics_know_equal_and_different_pictures():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 256, (2, 32, 32, 3), np.uint8)
    noisy = np.clip(a + rng.normal(0, 10, a.shape), 0, 255).astype(np.uint8)
    assert metrics.psnr(a, a) > 100 and 27 < metrics.psnr(a, noisy) < 30
    assert metrics.ssim(a, a) == pytest.approx(1)
    assert metrics.ssim(a, noisy) < 0.999
    assert metrics.spread(np.ones((1, 2, 1))) == pytest.approx(0)


@pytest.mark.parametrize("bits, tolerance, share", [(16, 1e-3, 0.55), (8, 2e-2, 0.35)])
def test_narrow_storage_keeps_the_function_and_shrinks_the_file(bits, tolerance, share):
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((128, 64)).astype(np.float32)
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, s]) for n, s in (("x", 128), ("y", 64))]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], [numpy_helper.from_array(weight, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    before = model.ByteSize()
    storage.narrow(model, bits)
    assert model.ByteSize() < share * before
    x = rng.standard_normal((4, 128)).astype(np.float32)
    got = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]
    wanted = x @ weight
    assert np.abs(got - wanted).max() < tolerance * np.abs(wanted).max()
