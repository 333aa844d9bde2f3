using Sora.Layers;
using Sora.Patches;
using Sora.Weights;

namespace Sora.Conditioning;

/// <summary>
/// The cells of a video's latent that are known; <see cref="KnownLatents"/> is the same for whole latent frames. A cell is one
/// place of the latent in time, height and width, with all its channels.
/// </summary>
public sealed class KnownRegion : IDisposable
{
    private readonly bool[] _cells;
    private readonly Tensor _mask;

    /// <summary>Creates it.</summary>
    /// <param name="latents">The latent [1, C, t, h, w], normalised; what is not known in it does not matter.</param>
    /// <param name="cells">For each of the t·h·w cells, in this order, whether it is known.</param>
    public KnownRegion(Tensor latents, IReadOnlyList<bool> cells)
    {
        Shape.Require(latents, "1 C t h w");
        long t = latents.size(2), h = latents.size(3), w = latents.size(4);
        if (cells.Count != t * h * w)
            throw new ArgumentException($"A latent of {t}x{h}x{w} has {t * h * w} cells, not {cells.Count}.", nameof(cells));
        using DisposeScope scope = NewDisposeScope();
        Latents = latents.alias().DetachFromDisposeScope();
        _cells = [.. cells];
        float[] ones = [.. _cells.Select(known => known ? 1f : 0f)];
        _mask = tensor(ones, [1, 1, t, h, w], device: latents.device).gt(0).DetachFromDisposeScope();
    }

    /// <summary>The latent [1, C, t, h, w].</summary>
    public Tensor Latents { get; }

    /// <summary>A sample [1, C, t, h, w] with its known cells replaced, by default by <see cref="Latents"/>.</summary>
    public Tensor Over(Tensor sample, Tensor? replacement = null) => where(_mask, replacement ?? Latents, sample);

    /// <summary>The known cells with the noise of a level [1, C, t, h, w]: (1 − sigma)·latent + sigma·noise.</summary>
    public Tensor Noised(Tensor noise, float sigma) => Latents + ((noise - Latents) * sigma);

    /// <summary>For every patch of a grid over this latent whether all its cells are known.</summary>
    public bool[] WholePatches(PatchGrid grid)
    {
        int h = (int)Latents.size(3), w = (int)Latents.size(4);
        (int pt, int ph, int pw) = ((int)Latents.size(2) / grid.T, h / grid.H, w / grid.W);
        var whole = new bool[grid.Count];
        Array.Fill(whole, true);
        for (int cell = 0; cell < _cells.Length; cell++)
        {
            int x = cell % w, y = cell / w % h, t = cell / (w * h);
            whole[(((t / pt * grid.H) + (y / ph)) * grid.W) + (x / pw)] &= _cells[cell];
        }
        return whole;
    }

    /// <summary>The part of this region that fills whole patches; a new object over the same latent.</summary>
    /// <param name="patch">Latents that a patch takes along time, height and width.</param>
    public KnownRegion OfWholePatches(ValueList<int> patch)
    {
        ArgumentNullException.ThrowIfNull(patch);
        int h = (int)Latents.size(3), w = (int)Latents.size(4);
        var grid = new PatchGrid((int)Latents.size(2) / patch[0], h / patch[1], w / patch[2]);
        bool[] whole = WholePatches(grid);
        return new(Latents, [.. Enumerable.Range(0, _cells.Length).Select(cell =>
            whole[(((cell / (w * h) / patch[0] * grid.H) + (cell / w % h / patch[1])) * grid.W) + (cell % w / patch[2])])]);
    }

    /// <summary>This region and latent frames that are known as a whole, which stand over it; a new object.</summary>
    public KnownRegion With(KnownLatents frames)
    {
        ArgumentNullException.ThrowIfNull(frames);
        using DisposeScope scope = NewDisposeScope();
        int area = _cells.Length / frames.IsKnown.Count;
        return new(frames.Over(Latents), [.. _cells.Select((known, cell) => known || frames.IsKnown[cell / area])]);
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Latents.Dispose();
        _mask.Dispose();
    }
}
