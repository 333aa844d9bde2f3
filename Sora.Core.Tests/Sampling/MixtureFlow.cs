using Sora.Sampling;

namespace Sora.Tests.Sampling;

/// <summary>
/// The flow whose data are a mixture of two Gaussians on a line. Noise and data of a sample x = (1 − sigma)·data +
/// sigma·noise are then known in closed form, and with them the velocity v = E[noise | x] − E[data | x].
/// </summary>
internal sealed class MixtureFlow(double mean1, double mean2, double deviation, double share1 = 0.5)
{
    public double Velocity(double x, double sigma)
    {
        double signal = 1 - sigma;
        double variance = (signal * signal * deviation * deviation) + (sigma * sigma);
        (double likelihood1, double velocity1) = Component(mean1, share1);
        (double likelihood2, double velocity2) = Component(mean2, 1 - share1);
        return ((likelihood1 * velocity1) + (likelihood2 * velocity2)) / (likelihood1 + likelihood2);

        (double Likelihood, double Velocity) Component(double mean, double share)
        {
            double distance = x - (signal * mean);
            double data = mean + (signal * deviation * deviation / variance * distance);
            double noise = sigma / variance * distance;
            return (share * Math.Exp(-distance * distance / (2 * variance)), noise - data);
        }
    }

    public Tensor Velocity(Tensor x, SamplingStep step) =>
        tensor([.. x.data<float>().ToArray().Select(value => (float)Velocity(value, step.Sigma))]);

    /// <summary>Where the flow carries samples from a noise level to the data: Runge–Kutta of fourth order in 500 steps.</summary>
    public float[] Exact(float[] samples, double sigma)
    {
        const int Steps = 500;
        double h = -sigma / Steps;
        return Array.ConvertAll(samples, sample =>
        {
            double x = sample;
            for (int i = 0; i < Steps; i++)
            {
                double s = sigma + (i * h);
                double k1 = Velocity(x, s), k2 = Velocity(x + (h / 2 * k1), s + (h / 2)), k3 = Velocity(x + (h / 2 * k2), s + (h / 2));
                x += h / 6 * (k1 + (2 * k2) + (2 * k3) + Velocity(x + (h * k3), s + h));
            }
            return (float)x;
        });
    }
}
