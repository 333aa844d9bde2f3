namespace Sora.Cli;

/// <summary>What the process tells its caller.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int BadRequest = 2;

    /// <summary>128 plus SIGINT's number, as shells report it.</summary>
    public const int Interrupted = 130;
}
