namespace Sora.Sampling;

/// <summary>What a network is given of a sample, and what its output says of it.</summary>
/// <param name="Output">What the output stands for.</param>
/// <param name="Lead">The channels that are told earlier than the others; null: none.</param>
/// <param name="Details">
/// How many channels, the last before those of <paramref name="Lead"/>, follow from the others: the network does not see them and gives their data, the
/// mean of what they can be. With any solver they end where the last step says.
/// </param>
public readonly record struct SamplePrediction(FlowPrediction Output, ChannelLead? Lead = null, int Details = 0)
{
    /// <summary>How many channels follow from the others.</summary>
    /// <value>0 to 65536.</value>
    public int Details { get; } = s_details.Require("detail_channels", Details)!.Value;

    private static readonly ValueRange<int> s_details = new(0, 65536);

    /// <summary>A prediction in which all channels are alike.</summary>
    public static implicit operator SamplePrediction(FlowPrediction output) => new(output);

    /// <summary>What the network is given: the sample, whose leading channels are brought to the length that those of others have, and whose details are 0.</summary>
    /// <param name="sample">The sample, its channels along axis 1: [B, C, t, h, w], or patches [N, C·pt·ph·pw].</param>
    /// <param name="sigmas">The noise levels.</param>
    /// <param name="shape">Their shape, which the sample's can be multiplied with: [B, 1, t, 1, 1], or [N, 1].</param>
    /// <param name="points">Numbers of each channel along axis 1: 1, of patches pt·ph·pw.</param>
    public Tensor Input(Tensor sample, ReadOnlySpan<float> sigmas, long[] shape, long points = 1)
    {
        if (Lead is null && Details == 0)
            return sample;
        (Tensor own, Tensor? details, Tensor? leading) = Split(sample, points);
        return Join(own, details is null ? null : zeros_like(details), leading is null ? null : leading / Values(sigmas, shape, Lead!.Value.LengthAt, sample));
    }

    /// <summary>The velocity v = noise − data.</summary>
    /// <param name="sample">The sample, not what <see cref="Input"/> makes of it.</param>
    /// <param name="output">The network's output, of the same shape.</param>
    /// <param name="sigmas">The noise levels.</param>
    /// <param name="shape">Their shape, which the sample's can be multiplied with: [B, 1, t, 1, 1], or [N, 1].</param>
    /// <param name="points">Numbers of each channel along axis 1: 1, of patches pt·ph·pw.</param>
    public Tensor Velocity(Tensor sample, Tensor output, ReadOnlySpan<float> sigmas, long[] shape, long points = 1)
    {
        if (Lead is null && Details == 0)
            return Output.Velocity(sample, output, sigmas, shape);
        (Tensor own, Tensor? details, Tensor? leading) = Split(sample, points);
        (Tensor ofOwn, Tensor? ofDetails, Tensor? ofLeading) = Split(output, points);
        // Of what is known nothing moves.
        Tensor? told = details is null ? null : (details - ofDetails!) * Values(sigmas, shape, sigma => sigma > 0 ? 1 / sigma : 0, sample);
        Tensor? led = null;
        if (Lead is { } lead)
        {
            // With length n: leading/n is a sample of data of deviation 1, of velocity u at its level; the data are g·(leading/n − level·u),
            // and v = (leading − data)/sigma = (g·u − (g − 1)·leading)/n, which no small sigma divides.
            Tensor length = Values(sigmas, shape, lead.LengthAt, sample);
            Tensor slope = Output.Velocity(leading! / length, ofLeading!, Each(sigmas, lead.LevelAt), shape);
            led = ((slope * lead.Gain) - (leading! * (lead.Gain - 1))) / length;
        }
        return Join(Output.Velocity(own, ofOwn, sigmas, shape), told, led);
    }

    /// <summary>
    /// Squared errors of the velocity as they count in a loss: those of leading channels as much as for a flow of these alone, at their own level.
    /// An error e of v is one of e·n/g of that flow's velocity u. Those of details are errors of their data, and count the more the clearer the others are, as they are where a sampler takes them:
    /// by (2·(1 − σ))².
    /// </summary>
    /// <param name="squares">The squares, of the sample's shape.</param>
    /// <param name="sigmas">The noise levels.</param>
    /// <param name="shape">Their shape, which the sample's can be multiplied with: [B, 1, t, 1, 1], or [N, 1].</param>
    /// <param name="points">Numbers of each channel along axis 1.</param>
    public Tensor Weighed(Tensor squares, ReadOnlySpan<float> sigmas, long[] shape, long points = 1)
    {
        if (Lead is null && Details == 0)
            return squares;
        (Tensor own, Tensor? details, Tensor? leading) = Split(squares, points);
        ChannelLead lead = Lead.GetValueOrDefault();
        return Join(
            own,
            details is null ? null : details * Values(sigmas, shape, sigma => 4 * sigma * sigma * (1 - sigma) * (1 - sigma), squares),
            leading is null ? null : leading * Values(sigmas, shape, sigma => (float)Math.Pow(lead.LengthAt(sigma) / lead.Gain, 2), squares));
    }

    private (Tensor Own, Tensor? Details, Tensor? Leading) Split(Tensor x, long points)
    {
        (Tensor others, Tensor? leading) = Lead is { } lead ? lead.Split(x, points) : (x, null);
        long last = Details * points, first = others.size(1) - last;
        return Details == 0 ? (others, null, leading) : (others.narrow(1, 0, first), others.narrow(1, first, last), leading);
    }

    private static Tensor Join(Tensor own, Tensor? details, Tensor? leading) =>
        cat([own, .. details is null ? (Tensor[])[] : [details], .. leading is null ? (Tensor[])[] : [leading]], 1);

    private static Tensor Values(ReadOnlySpan<float> sigmas, long[] shape, Func<float, float> value, Tensor like) =>
        tensor(Each(sigmas, value), shape).to(like.device);

    private static float[] Each(ReadOnlySpan<float> sigmas, Func<float, float> value)
    {
        float[] values = new float[sigmas.Length];
        for (int i = 0; i < values.Length; i++)
            values[i] = value(sigmas[i]);
        return values;
    }
}
