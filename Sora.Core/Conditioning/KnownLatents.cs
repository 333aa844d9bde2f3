using Sora.Layers;

namespace Sora.Conditioning;

/// <summary>The latent frames of a video that are known.</summary>
public sealed class KnownLatents : IDisposable
{
    private readonly Tensor _mask;

    /// <summary>Creates them.</summary>
    /// <param name="latents">The latent [1, C, t, h, w], normalised; what is not known in it does not matter.</param>
    /// <param name="isKnown">For each of the t latent frames whether it is known.</param>
    public KnownLatents(Tensor latents, IReadOnlyList<bool> isKnown)
    {
        Shape.Require(latents, $"1 C {isKnown.Count} h w");
        using DisposeScope scope = NewDisposeScope();
        Latents = latents.alias().DetachFromDisposeScope();
        IsKnown = isKnown;
        float[] ones = [.. isKnown.Select(known => known ? 1f : 0f)];
        _mask = tensor(ones, [1, 1, ones.Length, 1, 1], device: latents.device).gt(0).DetachFromDisposeScope();
    }

    /// <summary>The latent [1, C, t, h, w].</summary>
    public Tensor Latents { get; }

    /// <summary>For each latent frame whether it is known.</summary>
    public IReadOnlyList<bool> IsKnown { get; }

    /// <summary>A sample [1, C, t, h, w] with its known frames replaced, by default by <see cref="Latents"/>.</summary>
    public Tensor Over(Tensor sample, Tensor? replacement = null) => where(_mask, replacement ?? Latents, sample);

    /// <summary>These with other latent frames known besides, or in place of some.</summary>
    /// <param name="frames">Latent frames [1, C, k, h, w], normalised.</param>
    /// <param name="at">The place of the first of them.</param>
    public KnownLatents With(Tensor frames, int at)
    {
        using DisposeScope scope = NewDisposeScope();
        int count = (int)frames.size(2), after = at + count;
        Tensor latents = cat([Latents.narrow(2, 0, at), frames, Latents.narrow(2, after, IsKnown.Count - after)], 2);
        return new(latents, [.. IsKnown.Select((known, i) => known || (i >= at && i < after))]);
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Latents.Dispose();
        _mask.Dispose();
    }
}
