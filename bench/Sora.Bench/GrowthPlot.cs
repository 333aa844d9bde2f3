using System.Globalization;
using System.Text;

namespace Sora.Bench;

/// <summary>Curves as an SVG picture, X logarithmic; Y too, so that a power law is a straight line, or linear from 0.</summary>
internal static class GrowthPlot
{
    private const double Width = 760, Height = 480, Left = 60, Top = 20, Right = 260, Bottom = 50;
    private static readonly string[] s_colours = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf"];

    public static void Save(IReadOnlyList<GrowthCurve> curves, string path, string label = "tokens, clips or frames", bool logarithmic = true)
    {
        (int firstX, int lastX) = Decades(curves.SelectMany(c => c.Points.Select(p => p.X)));
        double[] marks = logarithmic ? Powers(Decades(curves.SelectMany(c => c.Points.Select(p => p.Y)))) : Fifths(curves.Max(c => c.Points.Max(p => p.Y)));
        double Place(double y) => logarithmic ? Math.Log10(y) : y;
        double X(double x) => Left + ((Math.Log10(x) - firstX) / (lastX - firstX) * (Width - Left - Right));
        double Y(double y) => Height - Bottom - ((Place(y) - Place(marks[0])) / (Place(marks[^1]) - Place(marks[0])) * (Height - Top - Bottom));

        var svg = new StringBuilder();
        Add(svg, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{Height}\" font-family=\"sans-serif\" font-size=\"12\">");
        Add(svg, $"<rect width=\"{Width}\" height=\"{Height}\" fill=\"white\"/>");
        for (int decade = firstX; decade <= lastX; decade++)
        {
            double x = X(Math.Pow(10, decade));
            Add(svg, $"<line x1=\"{x:0.#}\" y1=\"{Top}\" x2=\"{x:0.#}\" y2=\"{Height - Bottom}\" stroke=\"#ddd\"/>");
            Add(svg, $"<text x=\"{x:0.#}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{Math.Pow(10, decade):N0}</text>");
        }
        foreach (double mark in marks)
        {
            double y = Y(mark);
            Add(svg, $"<line x1=\"{Left}\" y1=\"{y:0.#}\" x2=\"{Width - Right}\" y2=\"{y:0.#}\" stroke=\"#ddd\"/>");
            Add(svg, $"<text x=\"{Left - 6}\" y=\"{y + 4:0.#}\" text-anchor=\"end\">{mark:0.####}</text>");
        }
        for (int i = 0; i < curves.Count; i++)
        {
            GrowthCurve curve = curves[i];
            string colour = s_colours[i % s_colours.Length];
            string points = string.Join(' ', curve.Points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.X):0.#},{Y(p.Y):0.#}")));
            Add(svg, $"<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>");
            foreach ((double x, double y) in curve.Points)
                Add(svg, $"<circle cx=\"{X(x):0.#}\" cy=\"{Y(y):0.#}\" r=\"3\" fill=\"{colour}\"/>");
            double line = Top + 14 + (i * 34);
            Add(svg, $"<text x=\"{Width - Right + 16}\" y=\"{line:0.#}\" fill=\"{colour}\">{curve.Name}{(curve.Unit.Length > 0 ? $" ({curve.Unit})" : "")}</text>");
            if (logarithmic)
                Add(svg, $"<text x=\"{Width - Right + 16}\" y=\"{line + 14:0.#}\" fill=\"#555\">exponent {curve.Law.Exponent:0.00}</text>");
        }
        Add(svg, $"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 12}\" text-anchor=\"middle\">{label}</text>");
        Add(svg, $"</svg>");
        File.WriteAllText(path, svg.ToString());
    }

    private static double[] Powers((int First, int Last) decades) =>
        [.. Enumerable.Range(decades.First, decades.Last - decades.First + 1).Select(decade => Math.Pow(10, decade))];

    private static double[] Fifths(double most) => [.. Enumerable.Range(0, (int)Math.Ceiling(most * 5) + 1).Select(i => i / 5.0)];

    private static (int First, int Last) Decades(IEnumerable<double> values)
    {
        double[] all = [.. values.Where(v => v > 0)];
        int first = (int)Math.Floor(Math.Log10(all.Min())), last = (int)Math.Ceiling(Math.Log10(all.Max()));
        return (first, Math.Max(last, first + 1));
    }

    private static void Add(StringBuilder svg, FormattableString line) => svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
