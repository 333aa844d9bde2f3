namespace Sora.Cli;

/// <summary>What a terminal says of the colours that it shows.</summary>
internal static class TerminalColours
{
    /// <summary>Whether a value of COLORTERM promises 24-bit colours.</summary>
    public static bool Are24Bit(string? colourTerminal) => colourTerminal is "truecolor" or "24bit";
}
