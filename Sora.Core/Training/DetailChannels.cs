namespace Sora.Training;

/// <summary>
/// The last channels of an autoencoder's latent, where these hold details. In a loss in which every channel counts alike they would be most of it
/// where there are many of them, and a transformer would learn mostly what is hardly seen.
/// </summary>
public sealed record DetailChannels
{
    private static readonly ValueRange<int> s_counts = new(1, 65536);
    private static readonly ValueRange<double> s_weights = new(0, 1);

    /// <summary>How many they are, fewer than the autoencoder has.</summary>
    public required int Channels { get; init => field = s_counts.Require("details.channels", value)!.Value; }

    /// <summary>What each counts beside 1 for one of the others.</summary>
    /// <value>0 to 1. Default 0.25.</value>
    public double Weight { get; init => field = s_weights.Require("details.weight", value)!.Value; } = 0.25;

    /// <summary>
    /// Whether the network is not shown them and gives their mean, from what it sees of the others, in place of a flow of their own: what a network hardly knows is then smooth, not noise.
    /// </summary>
    public bool Regressed { get; init; }

    /// <summary>Refuses as many as there are or more.</summary>
    /// <param name="all">The channels of the autoencoder.</param>
    internal void Check(int all)
    {
        if (Channels >= all)
            throw new SoraException($"details.channels is {Channels}, and the autoencoder has {all}; allowed: 1 to {all - 1}.");
    }
}
