namespace Sora.Bench;

/// <summary>y = factor · x^exponent, fitted by least squares of the logarithms.</summary>
internal readonly record struct PowerLaw(double Factor, double Exponent)
{
    public static PowerLaw Fit(IEnumerable<double> xs, IEnumerable<double> ys)
    {
        (double X, double Y)[] points = [.. xs.Zip(ys, (x, y) => (Math.Log(x), Math.Log(y)))];
        double meanX = points.Average(p => p.X), meanY = points.Average(p => p.Y);
        double exponent = points.Sum(p => (p.X - meanX) * (p.Y - meanY)) / points.Sum(p => (p.X - meanX) * (p.X - meanX));
        return new(Math.Exp(meanY - (exponent * meanX)), exponent);
    }
}
