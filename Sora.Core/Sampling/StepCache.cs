using Sora.Patches;

namespace Sora.Sampling;

/// <summary>
/// Skips blocks of the transformer at steps where they would say again what they said before. The first block is computed
/// at every step; when what it adds to its input has changed little since the last step that was computed in full, what
/// all other blocks added then is added again, and they are skipped. Known as first-block cache; the measure is that of
/// TeaCache (Liu et al. 2024, arXiv 2411.19108, equation 4) taken behind the first block, where it needs no constants fitted
/// to a model. The change is counted from the last full step, so that small changes cannot add up unseen.
/// <para>
/// One cache serves one video with one network: its layout of clips stays the same. Each clip, and so each branch of
/// guidance, is measured by itself; the blocks are skipped when no clip changed more than the threshold.
/// </para>
/// </summary>
/// <param name="threshold">The change at which blocks are computed again, as a share: 0 skips nothing.</param>
/// <param name="count">Counts what is skipped; null: nobody asks.</param>
public sealed class StepCache(double threshold, StepCacheCount? count = null) : IDisposable
{
    private Tensor? _first;
    private Tensor? _others;

    /// <summary>Takes the residual stream through the blocks, or through the first one and the memory of the others.</summary>
    /// <param name="x">The stream before the first block [N, D], float32.</param>
    /// <param name="blocks">The number of blocks.</param>
    /// <param name="layout">The clips.</param>
    /// <param name="block">Takes a stream through a block; without gradients it disposes the stream that it is given.</param>
    /// <returns>The stream behind the last block.</returns>
    /// <exception cref="InvalidOperationException">Gradients are recorded: they would not pass what is remembered.</exception>
    public Tensor Run(Tensor x, int blocks, PackedLayout layout, Func<Tensor, int, Tensor> block)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(block);
        if (is_grad_enabled())
            throw new InvalidOperationException("A step cache cannot be used while gradients are recorded.");
        using DisposeScope scope = NewDisposeScope();
        Tensor h = block(x.alias(), 0);                                                   // N D
        Tensor first = h - x;                                                             // N D
        bool skip = _first is not null && _others is not null && Change(first, _first, layout) < threshold;
        count?.Add(skip);
        if (skip)
            return scope.MoveToOuter(h + _others!);

        // Freed before the other blocks take their memory.
        Dispose();
        Tensor y = h.alias();
        for (int i = 1; i < blocks; i++)
            y = block(y, i);                                                              // N D
        _others = (y - h).DetachFromDisposeScope();
        _first = first.DetachFromDisposeScope();
        return scope.MoveToOuter(y);
    }

    /// <summary>Forgets the last step.</summary>
    public void Dispose()
    {
        _first?.Dispose();
        _others?.Dispose();
        _first = _others = null;
    }

    // The greatest of the clips' relative L1 changes, sum|now − before| / sum|before|. NaN is no small change.
    private static double Change(Tensor now, Tensor before, PackedLayout layout)
    {
        using DisposeScope scope = NewDisposeScope();
        if (now.size(0) != before.size(0))
            return double.PositiveInfinity;
        double greatest = 0;
        for (int clip = 0; clip < layout.Clips; clip++)
        {
            Tensor own = before.narrow(0, layout.Offset(clip), layout.Grid(clip).Count);
            Tensor difference = now.narrow(0, layout.Offset(clip), layout.Grid(clip).Count) - own;
            greatest = Math.Max(greatest, Mean(difference) / Mean(own));
        }
        return greatest;
    }

    private static double Mean(Tensor x) => x.abs().mean().cpu().item<float>();
}
