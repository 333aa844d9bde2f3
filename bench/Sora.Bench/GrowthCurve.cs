namespace Sora.Bench;

/// <summary>Measured values against a size.</summary>
/// <param name="Name">What was measured, and after the comma what X counts.</param>
/// <param name="Unit">What Y is in.</param>
/// <param name="Points">The sizes and the values.</param>
internal sealed record GrowthCurve(string Name, string Unit, IReadOnlyList<(double X, double Y)> Points)
{
    /// <summary>The power law through the points.</summary>
    public PowerLaw Law => PowerLaw.Fit(Points.Select(p => p.X), Points.Select(p => p.Y));

    /// <summary>A row for each point.</summary>
    public IEnumerable<Measurement> Rows() => Points.Select(p => new Measurement($"{Name}: {p.X:N0}", p.Y, Unit));
}
