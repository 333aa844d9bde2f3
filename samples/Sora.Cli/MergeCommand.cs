using System.CommandLine;
using System.Globalization;
using Sora.Weights;

namespace Sora.Cli;

/// <summary><c>sora merge</c>: several models of one kind as one, their weights added up.</summary>
internal static class MergeCommand
{
    private static readonly Argument<string[]> s_models = new("MODEL:FACTOR") { Description = "Two or more models' folders, each with its factor; without factors all have the same", Arity = ArgumentArity.OneOrMore };

    public static Command Create() => ModelWriting.Of(
        new Command("merge", "Adds up the weights of models that were trained from one another: a mean, or what one training changed on top of another.") { s_models },
        (line, folder, precision, cancellationToken) => MergedCheckpoint.Write(Models(line.GetValue(s_models)!), folder, precision, cancellationToken));

    private static (string, double)[] Models(string[] given)
    {
        (string Model, double? Factor)[] models = [.. given.Select(Split)];
        if (models.All(model => model.Factor is null))
            return [.. models.Select(model => (model.Model, 1.0 / models.Length))];
        string[] without = [.. models.Where(model => model.Factor is null).Select(model => model.Model)];
        if (without.Length == 0)
            return [.. models.Select(model => (model.Model, model.Factor!.Value))];
        string left = ((1 - models.Sum(model => model.Factor ?? 0)) / without.Length).ToString("0.######", CultureInfo.InvariantCulture);
        throw new SoraException($"{string.Join(", ", without)}: no factor is given, and others have one; nearest: {string.Join(' ', without.Select(model => $"{model}:{left}"))}.");
    }

    private static (string, double?) Split(string text)
    {
        int colon = text.LastIndexOf(':');
        return colon > 0 && double.TryParse(text.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out double factor)
            ? (text[..colon], factor) : (text, null);
    }
}
