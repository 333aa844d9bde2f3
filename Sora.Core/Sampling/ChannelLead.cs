namespace Sora.Sampling;

/// <summary>
/// The last channels of a sample are larger than the others, by which they are told earlier on the way from noise to data: data of deviation
/// g at noise level σ stand out from the noise as data of deviation 1 do at the level σ / (σ + g·(1 − σ)). So a part of a sample that others
/// depend on is there first, at no extra step and with any solver (the order of Semantic-First Diffusion, Pan et al. 2025, arXiv 2512.04926,
/// which gives each part a schedule of its own).
/// </summary>
/// <param name="Channels">How many channels, the last ones. From 1.</param>
/// <param name="Gain">g. From 1.</param>
public readonly record struct ChannelLead(int Channels, double Gain)
{
    private static readonly ValueRange<int> s_channels = new(1, 100_000);

    /// <summary>The gains that are allowed, in whatever file they stand.</summary>
    internal static readonly ValueRange<double> Gains = new(1, 1000);

    /// <summary>How many channels, the last ones.</summary>
    /// <value>1 to 100000.</value>
    public int Channels { get; } = s_channels.Require("lead_channels", Channels)!.Value;

    /// <summary>The deviation of their data.</summary>
    /// <value>1 to 1000.</value>
    public double Gain { get; } = Gains.Require("lead_gain", Gain)!.Value;

    /// <summary>The level σ / (σ + g·(1 − σ)) at which the channels, divided by σ + g·(1 − σ), are samples of data of deviation 1.</summary>
    /// <param name="sigma">The sample's level, 0 to 1.</param>
    public float LevelAt(float sigma) => sigma / LengthAt(sigma);

    /// <summary>σ + g·(1 − σ).</summary>
    /// <param name="sigma">The sample's level, 0 to 1.</param>
    public float LengthAt(float sigma) => (float)(sigma + (Gain * (1 - sigma)));

    /// <summary>A sample's other channels and these.</summary>
    /// <param name="x">[B, C, ...], or patches [N, C·points].</param>
    /// <param name="points">Numbers of each channel along axis 1.</param>
    internal (Tensor Others, Tensor Leading) Split(Tensor x, long points = 1)
    {
        long last = Channels * points, first = x.size(1) - last;
        return (x.narrow(1, 0, first), x.narrow(1, first, last));
    }

    /// <summary>What <see cref="Split"/> parts.</summary>
    internal static Tensor Join(Tensor others, Tensor leading) => cat([others, leading], 1);

    /// <summary>Data whose channels are all of deviation 1, with these of deviation g.</summary>
    /// <param name="data">[B, C, ...], or patches [N, C·points].</param>
    /// <param name="points">Numbers of each channel along axis 1.</param>
    internal Tensor Enlarge(Tensor data, long points = 1)
    {
        (Tensor others, Tensor leading) = Split(data, points);
        return Join(others, leading * Gain);
    }
}
