namespace Sora.Sampling;

/// <summary>
/// The weights rho of UniPC's difference quotients: R·rho = b with R_ik = r_k^(i−1) and b_i = i!·phi_{i+1}(−h)·(−h) / B(h)
/// (Zhao et al. 2023, equation 8), where phi_1(z) = (e^z − 1)/z and phi_{i+1}(z) = (phi_i(z) − 1/i!)/z.
/// </summary>
internal static class UniPCWeights
{
    /// <summary>The weights of the past predictions at places r_k, for the predictor.</summary>
    public static double[] OfPredictor(double[] places, double h, double scale) => places.Length switch
    {
        0 => [],
        // The paper's choice for order 2, independent of h (appendix F).
        1 => [0.5],
        _ => Solve(places, h, scale),
    };

    /// <summary>The weights of the past predictions and, last, of the one at the end of the step (r = 1).</summary>
    public static double[] OfCorrector(double[] places, double h, double scale) =>
        places.Length == 0 ? [0.5] : Solve([.. places, 1], h, scale);

    private static double[] Solve(double[] places, double h, double scale)
    {
        int n = places.Length;
        var rows = new double[n, n + 1];
        double factorial = 1, phi = ((Math.Exp(-h) - 1) / -h) - 1;         // i!, and phi_{i+1}(−h)·(−h)
        for (int i = 0; i < n; i++)
        {
            for (int k = 0; k < n; k++)
                rows[i, k] = Math.Pow(places[k], i);
            rows[i, n] = phi * factorial / scale;
            factorial *= i + 2;
            phi = (phi / -h) - (1 / factorial);
        }
        return Eliminate(rows, n);
    }

    // Gauss–Jordan with row exchange; the places are distinct, so that the Vandermonde matrix is regular.
    private static double[] Eliminate(double[,] rows, int n)
    {
        for (int column = 0; column < n; column++)
        {
            int pivot = Enumerable.Range(column, n - column).MaxBy(r => Math.Abs(rows[r, column]));
            for (int k = 0; k <= n; k++)
                (rows[column, k], rows[pivot, k]) = (rows[pivot, k], rows[column, k]);
            for (int row = 0; row < n; row++)
            {
                if (row == column)
                    continue;
                double factor = rows[row, column] / rows[column, column];
                for (int k = column; k <= n; k++)
                    rows[row, k] -= factor * rows[column, k];
            }
        }
        return [.. Enumerable.Range(0, n).Select(i => rows[i, n] / rows[i, i])];
    }
}
