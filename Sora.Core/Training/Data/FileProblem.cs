namespace Sora.Training.Data;

/// <summary>What was wrong with a file of a folder.</summary>
/// <param name="File">The path relative to the folder.</param>
/// <param name="Reason">In words.</param>
/// <param name="PassedOver">Whether the file is not used for it.</param>
public sealed record FileProblem(string File, string Reason, bool PassedOver)
{
    /// <summary>A line for a log.</summary>
    public override string ToString() => PassedOver ? $"passed over {File}: {Reason}" : $"{File}: {Reason}";
}
