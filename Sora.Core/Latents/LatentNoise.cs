namespace Sora.Latents;

/// <summary>The noise that a video starts from: a function of the seed and of each latent frame's absolute position.</summary>
public static class LatentNoise
{
    /// <summary>Standard normal noise [1, C, t, h, w], float32.</summary>
    /// <param name="shape">The latent's shape.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="device">Where it goes; the numbers are the same everywhere.</param>
    /// <param name="firstFrame">The absolute position of the first latent frame.</param>
    public static Tensor Create(LatentShape shape, long seed, Device device, int firstFrame = 0)
    {
        var frames = new Tensor[shape.T];
        var values = new float[shape.C * shape.H * shape.W];
        using DisposeScope scope = NewDisposeScope();
        for (int t = 0; t < shape.T; t++)
        {
            new GaussianNoise((ulong)seed, (ulong)(firstFrame + t)).Fill(values);
            frames[t] = tensor(values, [1, shape.C, shape.H, shape.W]);
        }
        return scope.MoveToOuter(stack(frames, 2).to(device));
    }
}
