namespace Sora.Sampling;

/// <summary>What a network's output F stands for, and the velocity v = noise − data that it gives.</summary>
public enum FlowPrediction
{
    /// <summary>F is the velocity (<c>flow_prediction</c>): every published model.</summary>
    Velocity,

    /// <summary>
    /// F is what the sample does not tell by itself (<c>preconditioned_flow</c>): with D² = (1 − σ)² + σ², the variance of a
    /// sample of unit data, data = (1 − σ)/D²·x + σ/D·F, thus v = (2σ − 1)/D²·x − F/D. The first term is the best linear guess,
    /// so F has unit variance at every σ (Karras et al. 2022, arXiv 2206.00364, section 5, for the straight path). Near
    /// noise F is the data: a narrow network need not carry the noise of a whole patch from its input to its output.
    /// </summary>
    Preconditioned,
}

/// <summary>From a network's output to the velocity.</summary>
public static class FlowPredictions
{
    /// <summary>The velocity where every sample, or every frame of it, has a noise level of its own.</summary>
    /// <param name="prediction">What the output stands for.</param>
    /// <param name="sample">The sample [B, C, t, h, w].</param>
    /// <param name="output">The network's output, of the same shape.</param>
    /// <param name="sigmas">The levels.</param>
    /// <param name="shape">Their shape, which the sample's can be multiplied with: [B, 1, t, 1, 1].</param>
    public static Tensor Velocity(this FlowPrediction prediction, Tensor sample, Tensor output, ReadOnlySpan<float> sigmas, long[] shape)
    {
        if (prediction == FlowPrediction.Velocity)
            return output;
        float[] skips = new float[sigmas.Length], scales = new float[sigmas.Length];
        for (int i = 0; i < sigmas.Length; i++)
            (skips[i], scales[i]) = Coefficients(sigmas[i]);
        return (sample * tensor(skips, shape).to(sample.device)) - (output * tensor(scales, shape).to(sample.device));
    }

    private static (float Skip, float Scale) Coefficients(float sigma)
    {
        float variance = ((1 - sigma) * (1 - sigma)) + (sigma * sigma);
        return (((2 * sigma) - 1) / variance, 1 / MathF.Sqrt(variance));
    }
}
