using Sora.Latents;
using Sora.Previews;
using Xunit;

namespace Sora.Tests.Previews;

public class LeastSquaresTests
{
    [Fact]
    public void AMapWithNoiseOnItsValuesIsFound()
    {
        const int Unknowns = 7, Values = 4, Rows = 4000;
        var random = new GaussianNoise(1, "least squares");
        var map = new float[Unknowns * Values];
        random.Fill(map);
        var fit = new LeastSquares(Unknowns, Values);
        var numbers = new float[Unknowns + Values];
        for (int i = 0; i < Rows; i++)
        {
            random.Fill(numbers, (ulong)(1000 + (i * 2 * numbers.Length)));
            double[] row = [.. numbers.Take(Unknowns).Select((x, k) => k == 0 ? 1.0 : x + 2)];
            float[] right = [.. Enumerable.Range(0, Values).Select(v => (float)row.Select((x, k) => x * map[(k * Values) + v]).Sum() + (0.01f * numbers[Unknowns + v]))];
            fit.Add(row, right);
        }
        double[] found = fit.Solve();
        Assert.Equal(map.Length, found.Length);
        Assert.All(map.Zip(found), pair => Assert.InRange(pair.Second, pair.First - 0.02, pair.First + 0.02));
    }

    [Fact]
    public void EqualColumnsShareWhatTheyExplain()
    {
        var fit = new LeastSquares(2, 1);
        for (int i = 1; i <= 20; i++)
            fit.Add([i, i], [3f * i]);
        Assert.All(fit.Solve(), factor => Assert.InRange(factor, 1.49, 1.51));
    }
}
