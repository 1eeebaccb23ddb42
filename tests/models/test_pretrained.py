"""Pretrained weights: fetched by Keras from a local server in Keras's published format, or read from a file."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import keras
import numpy as np
import pytest
from keras.src.applications import resnet as keras_resnet
from keras.src.backend import config as keras_config
from keras.src.utils import file_utils as keras_files

from dawnchorus.errors import InputError
from dawnchorus.models.backbone import backbone_module
from dawnchorus.models.building import build_models
from dawnchorus.models.pretrained import fetch_pretrained, load_pretrained
from dawnchorus.models.shapes import Shapes

FILE = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with weights as Keras publishes them: a ResNet50 without its top, in the old HDF5 format."""
    folder = tmp_path_factory.mktemp("published")
    keras.utils.set_random_seed(7)
    keras.applications.ResNet50(include_top=False, weights=None).save(folder / FILE)
    return folder


class Server(SimpleHTTPRequestHandler):
    """Serves files without logging."""

    requests: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:  # noqa: D102
        self.requests.append(self.path)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def server(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    """A local replacement of Keras's server of ImageNet weights. Keras's cache is empty."""
    Server.requests.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=published))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(keras_resnet, "BASE_WEIGHTS_PATH", f"http://127.0.0.1:{server.server_port}/")
    digest = hashlib.md5((published / FILE).read_bytes()).hexdigest()  # noqa: S324 - Keras compares MD5
    monkeypatch.setitem(keras_resnet.WEIGHTS_HASHES, "resnet50", ("", digest))
    (tmp_path / "keras").mkdir()
    monkeypatch.setattr(keras_config, "_KERAS_DIR", str(tmp_path / "keras"))
    yield server
    server.shutdown()


def kernel(model: keras.Model) -> np.ndarray:
    return model.get_layer("conv1_conv").get_weights()[0]


def test_imagenet_weights_are_fetched_once_and_begin_the_training(
    server: ThreadingHTTPServer, published: Path, tmp_path: Path
) -> None:
    expected = kernel(keras.saving.load_model(published / FILE, compile=False))
    fetched = fetch_pretrained("resnet", "imagenet")
    np.testing.assert_array_equal(kernel(fetched), expected)
    fetch_pretrained("resnet", "imagenet")
    assert Server.requests == [f"/{FILE}"]
    fetched.save_weights(tmp_path / "backbone.weights.h5")
    scorer, trainer = build_models("resnet", Shapes((40, 32), (40, 32)), 3, 0.25, 1)
    load_pretrained(scorer, "resnet", tmp_path)
    for model in (scorer, trainer):
        np.testing.assert_array_equal(kernel(model.get_layer("resnet").get_layer("application")), expected)


@pytest.mark.parametrize(
    ("backbone", "preprocess"),
    [
        ("inception", keras.applications.inception_v3.preprocess_input),
        ("efficientnet", keras.applications.efficientnet.preprocess_input),
        ("resnet", keras.applications.resnet.preprocess_input),
    ],
)
def test_a_backbone_sees_a_picture_as_keras_own_network_does(
    backbone: str, preprocess: Callable[[np.ndarray], np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = backbone_module(backbone)
    network = module.NETWORK
    keras.utils.set_random_seed(3)
    published = network(include_top=False, weights=None)
    for layer in published.layers:
        if isinstance(layer, keras.layers.Normalization):
            # The values in EfficientNet's published weights.
            mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
            layer.set_weights([mean, deviation**2, np.array(0)])
    published.save(tmp_path / "published.h5")
    # Simulate that Keras has fetched the file.
    monkeypatch.setattr(keras_files, "get_file", lambda *_, **__: str(tmp_path / "published.h5"))
    fetched = fetch_pretrained(backbone, "imagenet")
    fetched.save_weights(tmp_path / "backbone.weights.h5")
    scorer, _ = build_models(backbone, Shapes((96, 96), (96, 96)), 3, 0.25, 1)
    load_pretrained(scorer, backbone, tmp_path)
    ours = scorer.get_layer(backbone).get_layer("application")
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 96, 96, 3)).astype(np.float32)
    # Call the networks instead of `predict`: compiling them would take longer than a single batch.
    expected = np.asarray(fetched(preprocess(pixels.copy()), training=False))
    # The same picture, scaled to the backbone's input range.
    to_own_range = getattr(module, "efficientnet_range", preprocess)
    found = np.asarray(ours(to_own_range(pixels.copy()), training=False))
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_without_weights_the_backbone_keeps_its_new_ones(tmp_path: Path) -> None:
    scorer, _ = build_models("small_cnn", Shapes((40, 32), (40, 32)), 3, 0.25, 1)
    before = scorer.get_weights()
    load_pretrained(scorer, "small_cnn", tmp_path)
    for weight, expected in zip(scorer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_what_cannot_be_fetched_says_how_to_bring_the_file(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(keras_resnet.WEIGHTS_HASHES, "resnet50", ("", "0" * 32))
    with pytest.raises(InputError, match=r"weights of resnet cannot be downloaded"):
        fetch_pretrained("resnet", "imagenet")
    port = server.server_port
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match=rf"download http://127\.0\.0\.1:{port}/{FILE} into inputs/ and set"):
        fetch_pretrained("resnet", "imagenet")


def test_a_file_begins_the_training_and_another_networks_is_refused(published: Path, tmp_path: Path) -> None:
    (tmp_path / "resnet.h5").symlink_to(published / FILE)
    model = fetch_pretrained("resnet", str(tmp_path / "resnet.h5"))
    np.testing.assert_array_equal(kernel(model), kernel(keras.saving.load_model(published / FILE, compile=False)))
    with pytest.raises(InputError, match=r"inception\.h5: does not exist; correct train\.pretrained"):
        fetch_pretrained("inception", str(tmp_path / "inception.h5"))
    with pytest.raises(InputError, match=r"resnet\.h5: has no weights for this model: .*; set train\.pretrained"):
        fetch_pretrained("inception", str(tmp_path / "resnet.h5"))
