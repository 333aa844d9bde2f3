namespace Sora.Latents;

/// <summary>
/// The noise that a video starts from, and that stochastic solvers add at each step: a function of the seed, the step and
/// each latent frame's absolute position.
/// </summary>
public static class LatentNoise
{
    /// <summary>The noise [1, C, t, h, w] that a video starts from, standard normal, float32.</summary>
    /// <param name="shape">The latent's shape.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="device">Where it goes; the numbers are the same everywhere.</param>
    /// <param name="firstFrame">The absolute position of the first latent frame.</param>
    public static Tensor Create(LatentShape shape, long seed, Device device, int firstFrame = 0) =>
        Create(shape, seed, device, firstFrame, group: 0);

    /// <summary>The noise [1, C, t, h, w] that a step adds, standard normal, float32; independent of every other step's and of the start's.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="shape">The latent's shape.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="device">Where it goes; the numbers are the same everywhere.</param>
    /// <param name="firstFrame">The absolute position of the first latent frame.</param>
    public static Tensor OfStep(int step, LatentShape shape, long seed, Device device, int firstFrame = 0) =>
        Create(shape, seed, device, firstFrame, group: (ulong)step + 1);

    // A stream for each frame of each group: the frame's position takes the lower half of its number.
    private static Tensor Create(LatentShape shape, long seed, Device device, int firstFrame, ulong group)
    {
        var frames = new Tensor[shape.T];
        var values = new float[shape.C * shape.H * shape.W];
        using DisposeScope scope = NewDisposeScope();
        for (int t = 0; t < shape.T; t++)
        {
            new GaussianNoise((ulong)seed, (group << 32) + (ulong)(firstFrame + t)).Fill(values);
            frames[t] = tensor(values, [1, shape.C, shape.H, shape.W]);
        }
        return scope.MoveToOuter(stack(frames, 2).to(device));
    }
}
