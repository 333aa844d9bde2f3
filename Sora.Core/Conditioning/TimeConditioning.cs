using Sora.Patches;
using Sora.Sampling;

namespace Sora.Conditioning;

/// <summary>
/// Known latent frames stand in the input as they are, and their tokens have time 0: models that were trained with a time
/// for each token (Wan 2.2 TI2V 5B, whose pipeline calls it <c>expand_timesteps</c>, and the pocket model).
/// </summary>
/// <param name="known">The known latent frames; disposed with this.</param>
public sealed class TimeConditioning(KnownLatents known) : IConditioning
{
    /// <inheritdoc/>
    public Tensor? ImageVectors => null;

    /// <inheritdoc/>
    public Tensor Input(Tensor sample, SamplingStep step) => known.Over(sample);

    /// <inheritdoc/>
    public float[] Times(PatchGrid grid, SamplingStep step)
    {
        var times = new float[grid.Count];
        int area = grid.H * grid.W, latentsEach = known.IsKnown.Count / grid.T;
        for (int t = 0; t < grid.T; t++)
            times.AsSpan(t * area, area).Fill(known.IsKnown[t * latentsEach] ? 0 : step.Time);
        return times;
    }

    /// <inheritdoc/>
    public Tensor Finish(Tensor sample) => known.Over(sample);

    /// <inheritdoc/>
    public void Dispose() => known.Dispose();
}
