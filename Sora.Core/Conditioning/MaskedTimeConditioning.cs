using Sora.Patches;
using Sora.Sampling;
using Sora.Weights;

namespace Sora.Conditioning;

/// <summary>
/// A kept region in models that have a time for each token: tokens wholly in the region stand in the input as they are, at time
/// 0, as known frames do in <see cref="TimeConditioning"/>. Tokens on its edge are made anew at the step's time; their known
/// cells get the noise of the step, as in <see cref="MaskedReplacementConditioning"/>.
/// </summary>
public sealed class MaskedTimeConditioning : IConditioning
{
    private readonly KnownRegion _cells;
    private readonly KnownRegion _tokens;
    private readonly Tensor _noise;

    /// <summary>Creates it.</summary>
    /// <param name="known">The known cells; disposed with this.</param>
    /// <param name="patch">Latents that a token takes along time, height and width.</param>
    /// <param name="noise">The noise that the video starts from [1, C, t, h, w].</param>
    public MaskedTimeConditioning(KnownRegion known, ValueList<int> patch, Tensor noise)
    {
        ArgumentNullException.ThrowIfNull(known);
        ArgumentNullException.ThrowIfNull(noise);
        (_cells, _tokens) = (known, known.OfWholePatches(patch));
        _noise = noise.alias().DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor? ImageVectors => null;

    /// <inheritdoc/>
    public Tensor Input(Tensor sample, SamplingStep step)
    {
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(_tokens.Over(_cells.Over(sample, _cells.Noised(_noise, step.Sigma))));
    }

    /// <inheritdoc/>
    public float[] Times(PatchGrid grid, SamplingStep step) => [.. _tokens.WholePatches(grid).Select(known => known ? 0 : step.Time)];

    /// <inheritdoc/>
    public Tensor Finish(Tensor sample) => _cells.Over(sample);

    /// <inheritdoc/>
    public void Dispose()
    {
        _cells.Dispose();
        _tokens.Dispose();
        _noise.Dispose();
    }
}
