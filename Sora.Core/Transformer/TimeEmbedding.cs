using Sora.Layers;

namespace Sora.Transformer;

/// <summary>
/// Times to modulation: a sinusoid [cos | sin] over freq_dim channels, two linear layers, and a projection to the six
/// vectors that every block shares. All in float32.
/// </summary>
public sealed class TimeEmbedding
{
    private readonly int _frequencies;
    private readonly Linear _linear1;
    private readonly Linear _linear2;
    private readonly Linear _projection;

    /// <summary>Takes <c>time_embedder.linear_1</c>, <c>time_embedder.linear_2</c> and <c>time_proj</c>.</summary>
    public TimeEmbedding(ParameterScope scope, int frequencies, long width)
    {
        _frequencies = frequencies;
        _linear1 = Linear.InFloat32(scope["time_embedder.linear_1"], frequencies, width, Initialization.Normal(0.02));
        _linear2 = Linear.InFloat32(scope["time_embedder.linear_2"], width, width, Initialization.Normal(0.02));
        // Zero, so that a fresh block's modulation comes from its own table alone.
        _projection = Linear.InFloat32(scope["time_proj"], width, 6 * width, Initialization.Zero);
    }

    /// <summary>Embeds times [U] (0 to 1000) as (embedding [U, D], modulation [U, 6·D]).</summary>
    public (Tensor Embedding, Tensor Modulation) Forward(ReadOnlySpan<float> times, Device device)
    {
        Tensor sinusoid = Sinusoid(times, _frequencies).to(device);
        Tensor embedding = _linear2.Forward(nn.functional.silu(_linear1.Forward(sinusoid)));
        return (embedding, _projection.Forward(nn.functional.silu(embedding)));
    }

    /// <summary>[cos(t·f) | sin(t·f)] with f_i = 10000^(−i/half): [U, frequencies].</summary>
    internal static Tensor Sinusoid(ReadOnlySpan<float> times, int frequencies)
    {
        int half = frequencies / 2;
        var values = new float[times.Length * frequencies];
        for (int row = 0; row < times.Length; row++)
        {
            for (int i = 0; i < half; i++)
            {
                float angle = times[row] * (float)Math.Exp(-Math.Log(10000) * i / half);
                values[(row * frequencies) + i] = (float)Math.Cos(angle);
                values[(row * frequencies) + half + i] = (float)Math.Sin(angle);
            }
        }
        return tensor(values, [times.Length, frequencies]);
    }
}
