namespace Sora.Sampling;

/// <summary>What a network is given of a sample, and what its output says of it.</summary>
/// <param name="Output">What the output stands for.</param>
/// <param name="Lead">The channels that are told earlier than the others; null: none.</param>
public readonly record struct SamplePrediction(FlowPrediction Output, ChannelLead? Lead = null)
{
    /// <summary>A prediction in which all channels are alike.</summary>
    public static implicit operator SamplePrediction(FlowPrediction output) => new(output);

    /// <summary>What the network is given: the sample, whose leading channels are brought to the length that those of others have.</summary>
    /// <param name="sample">The sample, its channels along axis 1: [B, C, t, h, w], or patches [N, C·pt·ph·pw].</param>
    /// <param name="sigmas">The noise levels.</param>
    /// <param name="shape">Their shape, which the sample's can be multiplied with: [B, 1, t, 1, 1], or [N, 1].</param>
    /// <param name="points">Numbers of each channel along axis 1: 1, of patches pt·ph·pw.</param>
    public Tensor Input(Tensor sample, ReadOnlySpan<float> sigmas, long[] shape, long points = 1)
    {
        if (Lead is not { } lead)
            return sample;
        (Tensor own, Tensor leading) = lead.Split(sample, points);
        return ChannelLead.Join(own, leading / Values(sigmas, shape, lead.LengthAt, sample));
    }

    /// <summary>The velocity v = noise − data.</summary>
    /// <param name="sample">The sample, not what <see cref="Input"/> makes of it.</param>
    /// <param name="output">The network's output, of the same shape.</param>
    /// <param name="sigmas">The noise levels.</param>
    /// <param name="shape">Their shape, which the sample's can be multiplied with: [B, 1, t, 1, 1], or [N, 1].</param>
    /// <param name="points">Numbers of each channel along axis 1: 1, of patches pt·ph·pw.</param>
    public Tensor Velocity(Tensor sample, Tensor output, ReadOnlySpan<float> sigmas, long[] shape, long points = 1)
    {
        if (Lead is not { } lead)
            return Output.Velocity(sample, output, sigmas, shape);
        (Tensor own, Tensor leading) = lead.Split(sample, points);
        (Tensor ofOwn, Tensor ofLeading) = lead.Split(output, points);
        // With length n: leading/n is a sample of data of deviation 1, of velocity u at its level; the data are g·(leading/n − level·u),
        // and v = (leading − data)/sigma = (g·u − (g − 1)·leading)/n, which no small sigma divides.
        Tensor length = Values(sigmas, shape, lead.LengthAt, sample);
        Tensor slope = Output.Velocity(leading / length, ofLeading, Each(sigmas, lead.LevelAt), shape);
        Tensor led = ((slope * lead.Gain) - (leading * (lead.Gain - 1))) / length;
        return ChannelLead.Join(Output.Velocity(own, ofOwn, sigmas, shape), led);
    }

    /// <summary>
    /// Squared errors of the velocity as they count in a loss: those of leading channels as much as for a flow of these alone, at their own level.
    /// An error e of v is one of e·n/g of that flow's velocity u.
    /// </summary>
    /// <param name="squares">The squares, of the sample's shape.</param>
    /// <param name="sigmas">The noise levels.</param>
    /// <param name="shape">Their shape, which the sample's can be multiplied with: [B, 1, t, 1, 1], or [N, 1].</param>
    /// <param name="points">Numbers of each channel along axis 1.</param>
    public Tensor Weighed(Tensor squares, ReadOnlySpan<float> sigmas, long[] shape, long points = 1)
    {
        if (Lead is not { } lead)
            return squares;
        (Tensor own, Tensor leading) = lead.Split(squares, points);
        return ChannelLead.Join(own, leading * Values(sigmas, shape, sigma => (float)Math.Pow(lead.LengthAt(sigma) / lead.Gain, 2), squares));
    }

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
