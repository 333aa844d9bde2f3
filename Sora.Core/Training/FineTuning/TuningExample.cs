using Sora.Latents;
using Sora.Patches;
using Sora.Sampling;

namespace Sora.Training.FineTuning;

/// <summary>One clip at noise levels of its own, and what the network is to predict of it: noise − data.</summary>
/// <param name="Data">The latents [1, C, t, h, w].</param>
/// <param name="Noise">Gaussian noise of the same shape.</param>
/// <param name="Noisy">(1 − σ)·data + σ·noise.</param>
/// <param name="Levels">σ of each latent frame; 0 for known ones.</param>
/// <param name="Caption">The text.</param>
internal sealed record TuningExample(Tensor Data, Tensor Noise, Tensor Noisy, float[] Levels, string Caption)
{
    /// <summary>How many numbers of the velocity are learned from.</summary>
    public long Learned => Levels.Count(level => level > 0) * (Data.NumberOfElements / Levels.Length);

    /// <summary>Mixes data and noise.</summary>
    /// <param name="data">The latents [1, C, t, h, w].</param>
    /// <param name="caption">The text.</param>
    /// <param name="levels">σ of each latent frame.</param>
    /// <param name="random">The noise.</param>
    /// <param name="device">Where the result is.</param>
    /// <param name="map">How many channels, the last ones, are a map, of which known frames have none.</param>
    public static TuningExample Create(Tensor data, string caption, float[] levels, GaussianNoise random, Device device, int map = 0)
    {
        var gaussian = new float[data.NumberOfElements];
        random.Fill(gaussian);
        Tensor clean = data.to(device), noise = tensor(gaussian, data.shape, device: device);
        Tensor sigma = tensor(levels, [1, 1, levels.Length, 1, 1], device: device);
        Tensor noisy = SpriteWorld.SemanticMap.OfUnknown(clean + ((noise - clean) * sigma), sigma.gt(0).to(float32), map);
        return new(clean, noise, noisy, levels, caption);
    }

    /// <summary>The time of each token, 0 to 1000.</summary>
    public float[] Times(PatchGrid grid)
    {
        var times = new float[grid.Count];
        int area = grid.H * grid.W, framesEach = Levels.Length / grid.T;
        for (int t = 0; t < grid.T; t++)
            times.AsSpan(t * area, area).Fill(Levels[t * framesEach] * 1000);
        return times;
    }

    /// <summary>What the network is given [1, C, t, h, w].</summary>
    /// <param name="prediction">What it is given of a sample.</param>
    public Tensor Input(SamplePrediction prediction) => prediction.Input(Noisy, Levels, [1, 1, Levels.Length, 1, 1]);

    /// <summary>The sum of squared errors of the velocity over frames that are not known.</summary>
    /// <param name="prediction">What the network's output stands for.</param>
    /// <param name="output">The output [1, C, t, h, w].</param>
    public Tensor SquaredError(SamplePrediction prediction, Tensor output)
    {
        Tensor velocity = prediction.Velocity(Noisy, output, Levels, [1, 1, Levels.Length, 1, 1]);
        Tensor unknown = tensor(Array.ConvertAll(Levels, level => level > 0 ? 1f : 0f), [1, 1, Levels.Length, 1, 1], device: Data.device);
        return prediction.Weighed((velocity - (Noise - Data)).square() * unknown, Levels, [1, 1, Levels.Length, 1, 1]).sum();
    }
}
