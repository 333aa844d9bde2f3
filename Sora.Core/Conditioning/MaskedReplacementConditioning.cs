using Sora.Patches;
using Sora.Sampling;

namespace Sora.Conditioning;

/// <summary>
/// A kept region in models with one time for the whole clip: at each step its cells are given the noise of the step and stand
/// in the input in place of the sample's, as known frames do in <see cref="ReplacementConditioning"/> (the idea of RePaint,
/// Lugmayr et al. 2022, arXiv 2201.09865, without its repeated steps). How the model takes known frames besides is the
/// matter of another conditioning.
/// </summary>
/// <param name="known">The known cells; disposed with this.</param>
/// <param name="noise">The noise that the video starts from [1, C, t, h, w].</param>
/// <param name="inner">The conditioning that makes the network's input; disposed with this.</param>
public sealed class MaskedReplacementConditioning(KnownRegion known, Tensor noise, IConditioning inner) : IConditioning
{
    private readonly Tensor _noise = noise.alias().DetachFromDisposeScope();

    /// <inheritdoc/>
    public Tensor? ImageVectors => inner.ImageVectors;

    /// <inheritdoc/>
    public Tensor Input(Tensor sample, SamplingStep step)
    {
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(inner.Input(known.Over(sample, known.Noised(_noise, step.Sigma)), step));
    }

    /// <inheritdoc/>
    public float[] Times(PatchGrid grid, SamplingStep step) => inner.Times(grid, step);

    /// <inheritdoc/>
    public Tensor Finish(Tensor sample)
    {
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(known.Over(inner.Finish(sample)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        known.Dispose();
        inner.Dispose();
        _noise.Dispose();
    }
}
