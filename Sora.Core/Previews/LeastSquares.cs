namespace Sora.Previews;

/// <summary>
/// Linear least squares with several right-hand sides, gathered row by row: X with the least |A·X − B|², from the normal equations
/// (AᵀA + λ)·X = AᵀB by Cholesky's decomposition. The small λ keeps columns apart that are nearly the same.
/// </summary>
/// <param name="unknowns">The columns of A.</param>
/// <param name="values">The columns of B.</param>
internal sealed class LeastSquares(int unknowns, int values)
{
    // Of the mean square of A's entries.
    private const double Ridge = 1e-4;

    private readonly double[,] _products = new double[unknowns, unknowns];
    private readonly double[,] _right = new double[unknowns, values];

    /// <summary>Adds a row of A with its row of B.</summary>
    public void Add(ReadOnlySpan<double> row, ReadOnlySpan<float> right)
    {
        for (int i = 0; i < unknowns; i++)
        {
            for (int j = 0; j <= i; j++)
                _products[i, j] += row[i] * row[j];
            for (int v = 0; v < values; v++)
                _right[i, v] += row[i] * right[v];
        }
    }

    /// <summary>X, [unknowns, values] row by row.</summary>
    public double[] Solve()
    {
        double[,] l = Decompose();
        var x = new double[unknowns * values];
        for (int v = 0; v < values; v++)
        {
            for (int i = 0; i < unknowns; i++)
            {
                double sum = _right[i, v];
                for (int k = 0; k < i; k++)
                    sum -= l[i, k] * x[(k * values) + v];
                x[(i * values) + v] = sum / l[i, i];
            }
            for (int i = unknowns - 1; i >= 0; i--)
            {
                double sum = x[(i * values) + v];
                for (int k = i + 1; k < unknowns; k++)
                    sum -= l[k, i] * x[(k * values) + v];
                x[(i * values) + v] = sum / l[i, i];
            }
        }
        return x;
    }

    // The lower triangle L with L·Lᵀ = AᵀA + λ.
    private double[,] Decompose()
    {
        double trace = 0;
        for (int i = 0; i < unknowns; i++)
            trace += _products[i, i];
        double lambda = Ridge * trace / unknowns;
        var l = new double[unknowns, unknowns];
        for (int i = 0; i < unknowns; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                double sum = _products[i, j] + (i == j ? lambda : 0);
                for (int k = 0; k < j; k++)
                    sum -= l[i, k] * l[j, k];
                l[i, j] = i == j ? Math.Sqrt(sum) : sum / l[j, j];
            }
        }
        return l;
    }
}
