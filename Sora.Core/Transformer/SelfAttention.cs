using Sora.Layers;
using Sora.Patches;

namespace Sora.Transformer;

/// <summary>
/// Attention among the patches of each clip. Queries and keys are normalised over all heads together (RMS), then
/// turned by their rotary positions.
/// </summary>
public sealed class SelfAttention
{
    private readonly int _heads;
    private readonly Linear _query;
    private readonly Linear _key;
    private readonly Linear _value;
    private readonly Linear _output;
    private readonly RmsNorm _queryNorm;
    private readonly RmsNorm _keyNorm;

    /// <summary>Takes <c>to_q</c>, <c>to_k</c>, <c>to_v</c>, <c>to_out.0</c>, <c>norm_q</c> and <c>norm_k</c>.</summary>
    public SelfAttention(ParameterScope scope, int heads, long width, double epsilon)
    {
        _heads = heads;
        _query = new(scope["to_q"], width, width);
        _key = new(scope["to_k"], width, width);
        _value = new(scope["to_v"], width, width);
        _output = new(scope["to_out.0"], width, width);
        _queryNorm = new(scope["norm_q"], width, epsilon);
        _keyNorm = new(scope["norm_k"], width, epsilon);
    }

    /// <summary>Adds the gated result of x [N, D] to the residual stream [N, D], float32.</summary>
    public Tensor AddTo(Tensor stream, Tensor x, PackedLayout layout, RotaryPositions positions, Tensor gate, Modulation modulation)
    {
        Tensor q = FusedKernels.RmsNormRotary(_query.Forward(x), _queryNorm, positions, _heads);   // N D
        Tensor k = FusedKernels.RmsNormRotary(_key.Forward(x), _keyNorm, positions, _heads);       // N D
        Tensor v = _value.Forward(x);                                                              // N D
        return _output.AddTo(stream, Attend(q, k, v, layout), gate, modulation);                   // N D
    }

    private Tensor Attend(Tensor q, Tensor k, Tensor v, PackedLayout layout)
    {
        if (layout.IsUniform)
            return Clips(q, k, v, layout.Clips);
        return cat([.. layout.Runs.Select(run => Clips(Part(q, run), Part(k, run), Part(v, run), run.Clips))], 0);

        static Tensor Part(Tensor x, PackedRun run) => x.narrow(0, run.Offset, run.Count);
    }

    private Tensor Clips(Tensor q, Tensor k, Tensor v, int clips) =>
        FusedKernels.Attention(q.view(clips, -1, q.size(1)), k.view(clips, -1, k.size(1)), v.view(clips, -1, v.size(1)), _heads)
            .view(q.shape);
}
