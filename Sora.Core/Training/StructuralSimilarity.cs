namespace Sora.Training;

/// <summary>
/// Structural similarity (Wang et al. 2004, IEEE TIP 13(4)): the agreement of local means, contrasts and structures, in Gaussian
/// windows of 11 × 11 pixels with deviation 1.5; smaller ones in pictures that are smaller.
/// </summary>
public static class StructuralSimilarity
{
    private const int Window = 11;
    private const double Deviation = 1.5;

    // (0.01·L)² and (0.03·L)²; pixels span L = 2.
    private const double LumaConstant = 0.0004, ContrastConstant = 0.0036;

    /// <summary>The mean over windows, channels and frames, a scalar: 1 for equal clips.</summary>
    /// <param name="a">A clip [B, C, T, H, W] in [−1, 1], float32.</param>
    /// <param name="b">Another of the same shape.</param>
    public static Tensor Of(Tensor a, Tensor b)
    {
        long height = a.size(-2), width = a.size(-1);
        Tensor kernel = Gaussian((int)Math.Min(Window, Math.Min(height, width)), a.device);      // 1 1 k k
        Tensor x = a.reshape(-1, 1, height, width), y = b.reshape(-1, 1, height, width);         // B·C·T 1 H W
        Tensor meanX = Blur(x), meanY = Blur(y), product = meanX * meanY;
        Tensor squares = meanX.square() + meanY.square();
        Tensor variances = Blur(x.square() + y.square()) - squares, covariance = Blur(x * y) - product;
        Tensor similarity = ((product * 2) + LumaConstant) * ((covariance * 2) + ContrastConstant)
            / ((squares + LumaConstant) * (variances + ContrastConstant));
        return similarity.mean();

        Tensor Blur(Tensor picture) => nn.functional.conv2d(picture, kernel);
    }

    private static Tensor Gaussian(int side, Device device)
    {
        double[] line = [.. Enumerable.Range(0, side).Select(i => Math.Exp(-Math.Pow(i - ((side - 1) / 2.0), 2) / (2 * Deviation * Deviation)))];
        double sum = line.Sum();
        return tensor([.. line.SelectMany(y => line.Select(x => (float)(y * x / (sum * sum))))], [1, 1, side, side], device: device);
    }
}
