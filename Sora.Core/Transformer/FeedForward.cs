using Sora.Layers;

namespace Sora.Transformer;

/// <summary>Two linear layers with a tanh-GELU between them.</summary>
public sealed class FeedForward
{
    private readonly Linear _in;
    private readonly Linear _out;

    /// <summary>Takes <c>net.0.proj</c> and <c>net.2</c>.</summary>
    public FeedForward(ParameterScope scope, long width, long hidden)
    {
        _in = new(scope["net.0.proj"], width, hidden);
        _out = new(scope["net.2"], hidden, width);
    }

    /// <summary>Adds the gated result of x [N, D] to the residual stream [N, D], float32.</summary>
    public Tensor AddTo(Tensor stream, Tensor x, Tensor gate, Modulation modulation) =>
        _out.AddTo(stream, _in.Gelu(x), gate, modulation);
}
