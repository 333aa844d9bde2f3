using System.CommandLine;
using Sora.Weights;

namespace Sora.Cli;

/// <summary><c>sora convert</c>: any readable model as a folder in the layout of diffusers.</summary>
internal static class ConvertCommand
{
    private static readonly Argument<string> s_source = new("SOURCE") { Description = "A model's folder of any layout, or a transformer's file" };

    public static Command Create() => ModelWriting.Of(
        new Command("convert", "Writes a model of any layout and number format as a diffusers folder.") { s_source },
        (line, folder, precision, cancellationToken) => ConvertedCheckpoint.Write(line.GetValue(s_source)!, folder, precision, cancellationToken));
}
