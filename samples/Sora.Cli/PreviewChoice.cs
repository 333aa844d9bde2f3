using System.CommandLine;

namespace Sora.Cli;

/// <summary>Whether previews are drawn: as <c>--preview</c> and <c>--no-preview</c> say, else where the terminal shows 24-bit colours.</summary>
internal static class PreviewChoice
{
    /// <summary>Steps from one preview to the next.</summary>
    public const int Every = 2;

    public static readonly Option<bool> Preview = new("--preview")
    {
        Description = "Draw previews of the video while it is denoised, wherever the output goes [default: on a terminal with COLORTERM=truecolor or 24bit]",
    };

    public static readonly Option<bool> NoPreview = new("--no-preview") { Description = "Draw no previews" };

    /// <exception cref="SoraException">Both are given.</exception>
    public static bool IsOn(ParseResult line)
    {
        bool on = line.GetValue(Preview), off = line.GetValue(NoPreview);
        if (on && off)
            throw new SoraException("--preview and --no-preview are both given; leave one of them.");
        return !off && !line.GetValue(GenerateOptions.Quiet) && (on || (ProgressDisplay.IsTerminal && TerminalColours.Are24Bit(Environment.GetEnvironmentVariable("COLORTERM"))));
    }
}
