using Sora.Frames;
using Sora.Sampling;

namespace Sora.Previews;

/// <summary>
/// Looks at the velocity on its way to the solver and draws, every few evaluations, the data that it predicts: x − sigma·v, where
/// the straight line from this sample would end.
/// </summary>
/// <param name="every">After how many evaluations.</param>
/// <param name="colours">How latents become colours.</param>
internal sealed class PreviewedData(int every, LatentColours colours)
{
    private int _evaluations;
    private IReadOnlyList<VideoFrame>? _latest;

    /// <summary>The velocity, unchanged.</summary>
    /// <param name="velocity">The velocity.</param>
    /// <param name="latents">Takes predicted data apart into the latents [1, C, t, h, w] of the videos.</param>
    public Velocity Around(Velocity velocity, Func<Tensor, IReadOnlyList<Tensor>> latents) => (sample, step) =>
    {
        Tensor slope = velocity(sample, step);
        if (++_evaluations % every == 0)
        {
            using DisposeScope scope = NewDisposeScope();
            using IDisposable noGradients = no_grad();
            _latest = [.. latents(sample - (slope * step.Sigma)).Select(latent => colours.Draw(latent, (int)latent.size(2) / 2))];
        }
        return slope;
    };

    /// <summary>The pictures of the last evaluation, one for each video; null: none were drawn since the last call.</summary>
    public IReadOnlyList<VideoFrame>? Take()
    {
        IReadOnlyList<VideoFrame>? latest = _latest;
        _latest = null;
        return latest;
    }
}
