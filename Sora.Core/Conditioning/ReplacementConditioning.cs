using Sora.Patches;
using Sora.Sampling;

namespace Sora.Conditioning;

/// <summary>
/// Known latent frames are given the noise of each step and stand in the input in place of the sample's: models that were
/// not trained for known frames (text to video, one time for the whole clip). They hold the frames exactly, and the rest
/// follows them as well as such a model can (the idea of RePaint, Lugmayr et al. 2022, arXiv 2201.09865, without its
/// repeated steps).
/// </summary>
/// <param name="known">The known latent frames; disposed with this.</param>
/// <param name="noise">The noise that the video starts from [1, C, t, h, w].</param>
public sealed class ReplacementConditioning(KnownLatents known, Tensor noise) : IConditioning
{
    private readonly Tensor _noise = noise.alias().DetachFromDisposeScope();
    private readonly NoConditioning _plain = new();

    /// <inheritdoc/>
    public Tensor? ImageVectors => null;

    /// <inheritdoc/>
    public Tensor Input(Tensor sample, SamplingStep step)
    {
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(known.Over(sample, known.Latents + ((_noise - known.Latents) * step.Sigma)));
    }

    /// <inheritdoc/>
    public float[] Times(PatchGrid grid, SamplingStep step) => _plain.Times(grid, step);

    /// <inheritdoc/>
    public Tensor Finish(Tensor sample) => known.Over(sample);

    /// <inheritdoc/>
    public void Dispose()
    {
        known.Dispose();
        _noise.Dispose();
    }
}
