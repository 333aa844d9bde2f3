namespace Sora.Latents;

/// <summary>The noise of a request: that of its seed, turned towards that of its variation seed where it has one.</summary>
/// <remarks>
/// Two independent normal vectors of many numbers stand at a right angle and are equally long, so the arc between them
/// (spherical interpolation, Shoemake 1985) is cos(s·π/2)·a + sin(s·π/2)·b. Taken so, and not with the measured angle, the
/// result is standard normal exactly and each number remains a function of the absolute latent frame.
/// </remarks>
internal static class RequestNoise
{
    /// <summary>The noise [1, C, t, h, w] that the video of a resolved request starts from.</summary>
    public static Tensor Create(VideoRequest request, LatentShape shape, Device device) =>
        Turn(request, seed => LatentNoise.Create(shape, seed, device, request.FirstLatentFrame));

    /// <summary>The noise [1, C, t, h, w] that a step adds.</summary>
    public static Tensor OfStep(int step, VideoRequest request, LatentShape shape, Device device) =>
        Turn(request, seed => LatentNoise.OfStep(step, shape, seed, device, request.FirstLatentFrame));

    private static Tensor Turn(VideoRequest request, Func<long, Tensor> noise)
    {
        long seed = request.Seed!.Value;
        if (request.VariationSeed is not { } variation || request.VariationStrength is 0)
            return noise(seed);
        if (request.VariationStrength is 1)
            return noise(variation);
        double angle = request.VariationStrength!.Value * Math.PI / 2;
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter((noise(seed) * Math.Cos(angle)) + (noise(variation) * Math.Sin(angle)));
    }
}
