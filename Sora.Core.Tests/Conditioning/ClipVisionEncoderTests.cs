using Sora.Conditioning;
using Sora.Layers;
using Sora.Tests.Engine;
using Sora.Tests.Text;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Conditioning;

public class ClipVisionEncoderTests
{
    private static readonly ClipVisionConfig Config = ClipVisionConfig.Load(Path.Combine(TestFiles.Folder("H_clip_vision"), "config.json"));

    private static CheckpointParameters Parameters(ScalarType type) => new(TestFiles.Folder("H_clip_vision"), type, CPU);

    [Fact]
    public void EveryStoredParameterIsTaken()
    {
        using CheckpointParameters parameters = Parameters(float32);
        using var encoder = new ClipVisionEncoder(Config, parameters);
        Assert.Empty(parameters.UnusedNames);
    }

    [Fact]
    public void QuickGeluIsAnotherFunction()
    {
        using DisposeScope scope = NewDisposeScope();
        ClipVisionConfig quick = Config with { HiddenAct = ClipVisionConfig.QuickGelu, NumHiddenLayers = 1 };
        using CheckpointParameters parameters = Parameters(float32);
        ParameterScope layers = new ParameterScope(parameters)["vision_model.encoder.layers"];
        var layer = new ClipVisionLayer(layers[0], quick);
        Tensor x = RandomTensor.Create(1, 1, 5, Config.HiddenSize);

        // The layer's halves by hand, from its own parameters.
        Tensor P(string name) => parameters.Parameters["vision_model.encoder.layers.0." + name];
        Tensor Linear(Tensor h, string name) => nn.functional.linear(h, P(name + ".weight"), P(name + ".bias"));
        Tensor Norm(Tensor h, string name) => nn.functional.layer_norm(h, [Config.HiddenSize], P(name + ".weight"), P(name + ".bias"), 1e-5);
        Tensor Heads(Tensor h) => h.view(1, 5, Config.NumAttentionHeads, -1).transpose(1, 2);
        Tensor h = Norm(x, "layer_norm1");
        Tensor q = Heads(Linear(h, "self_attn.q_proj")), k = Heads(Linear(h, "self_attn.k_proj")), v = Heads(Linear(h, "self_attn.v_proj"));
        Tensor weights = (q.matmul(k.transpose(-2, -1)) / Math.Sqrt(Config.HiddenSize / Config.NumAttentionHeads)).softmax(-1);
        Tensor y = x + Linear(weights.matmul(v).transpose(1, 2).flatten(2), "self_attn.out_proj");
        Tensor inner = Linear(Norm(y, "layer_norm2"), "mlp.fc1");
        Tensor expected = y + Linear(inner * (inner * 1.702).sigmoid(), "mlp.fc2");

        Assert.InRange(RandomTensor.Distance(expected, layer.Forward(x)), 0, 1e-5f);
    }

    [Fact]
    public void BFloat16StaysNear()
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using var full = new ClipVisionEncoder(Config, Parameters(float32));
        using var half = new ClipVisionEncoder(Config, Parameters(bfloat16));
        Tensor pixels = RandomTensor.Create(1, 1, 3, Config.ImageSize, Config.ImageSize);
        Tensor expected = full.Encode(pixels), actual = half.Encode(pixels);
        Assert.Equal(float32, actual.dtype);
        Assert.InRange(RandomTensor.Distance(expected, actual), 1e-6f, 0.1f);
    }

    [Fact]
    public void AnotherSizeIsRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        using var encoder = new ClipVisionEncoder(Config, Parameters(float32));
        ArgumentException error = Assert.Throws<ArgumentException>(() => encoder.Encode(zeros([1, 3, 32, 40])));
        Assert.Contains("[1, 3, 32, 40]; expected [B, 3, 32, 32]", error.Message, StringComparison.Ordinal);
    }
}
