using Sora.Latents;
using Xunit;

namespace Sora.Tests.Latents;

public class GaussianNoiseTests
{
    [Fact]
    public void ANumberDependsOnItsPositionAlone()
    {
        var noise = new GaussianNoise(7, "stream");
        var all = new float[100];
        noise.Fill(all);
        foreach ((int start, int length) in new[] { (0, 1), (1, 1), (1, 2), (3, 50), (50, 50), (99, 1) })
        {
            var part = new float[length];
            noise.Fill(part, (ulong)start);
            Assert.Equal(all.AsSpan(start, length).ToArray(), part);
        }
    }

    [Fact]
    public void ItIsStandardNormal()
    {
        var values = new float[200_000];
        new GaussianNoise(1, 2).Fill(values);
        double mean = values.Average(), variance = values.Average(v => v * v);
        Assert.InRange(mean, -0.01, 0.01);
        Assert.InRange(variance, 0.98, 1.02);
        Assert.InRange(values.Average(v => Math.Pow(v, 4)), 2.9, 3.1);
        Assert.InRange(values.Count(v => Math.Abs(v) > 1.959964) / (double)values.Length, 0.048, 0.052);
        double neighbours = values.Zip(values.Skip(1), (a, b) => a * b).Average();
        Assert.InRange(neighbours, -0.01, 0.01);
    }

    [Fact]
    public void SeedsAndStreamsDiffer()
    {
        var drawn = new HashSet<float>();
        var one = new float[1];
        for (ulong seed = 0; seed < 10; seed++)
        {
            for (ulong stream = 0; stream < 10; stream++)
            {
                new GaussianNoise(seed, stream).Fill(one);
                Assert.True(drawn.Add(one[0]));
            }
        }
    }
}
