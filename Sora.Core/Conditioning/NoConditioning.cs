using Sora.Patches;
using Sora.Sampling;

namespace Sora.Conditioning;

/// <summary>Text alone: the network sees the sample, every token at the step's time.</summary>
public sealed class NoConditioning : IConditioning
{
    /// <inheritdoc/>
    public Tensor? ImageVectors => null;

    /// <inheritdoc/>
    public Tensor Input(Tensor sample, SamplingStep step) => sample;

    /// <inheritdoc/>
    public float[] Times(PatchGrid grid, SamplingStep step)
    {
        var times = new float[grid.Count];
        Array.Fill(times, step.Time);
        return times;
    }

    /// <inheritdoc/>
    public Tensor Finish(Tensor sample) => sample.alias();

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
