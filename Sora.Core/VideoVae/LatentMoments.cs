namespace Sora.VideoVae;

/// <summary>The normal distribution that the encoder gives for each latent, [B, z, t, h, w] each.</summary>
/// <param name="Mean">The means.</param>
/// <param name="LogVariance">The logarithms of the variances, within [−30, 20].</param>
public sealed record LatentMoments(Tensor Mean, Tensor LogVariance)
{
    /// <summary>Splits moments [B, 2·z, t, h, w].</summary>
    public static LatentMoments Split(Tensor moments)
    {
        Tensor[] halves = moments.chunk(2, 1);
        return new(halves[0], halves[1].clamp(-30, 20));
    }
}
