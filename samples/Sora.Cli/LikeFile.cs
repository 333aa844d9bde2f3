using System.CommandLine;

namespace Sora.Cli;

/// <summary>What <c>--like</c> repeats: the record that a file of Sora carries.</summary>
internal static class LikeFile
{
    private const string Generate = "generate";

    /// <summary>The record of the file that the line names; null where it names none.</summary>
    /// <param name="line">The command line.</param>
    /// <param name="command">The command that is run; <c>animate</c> counts as <c>generate</c>.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="SoraException">The file carries none, or one of another command.</exception>
    public static GenerationRecord? Read(ParseResult line, string command, CancellationToken cancellationToken)
    {
        if (line.GetValue(GenerateOptions.Like) is not { } file)
            return null;
        GenerationRecord record = GenerationRecord.Read(file, cancellationToken)
            ?? throw new SoraException($"'{file}' carries no request: it was not made by Sora, or its tags were removed.");
        return CommandOf(record) == command ? record : throw new SoraException($"'{file}' was made by {CommandOf(record)}; repeat it with `{Again(record, file)}`.");
    }

    /// <summary>The command line that repeats a file.</summary>
    public static string Again(GenerationRecord record, string file) => CommandOf(record) switch
    {
        "connect" => $"sora connect FIRST SECOND --like {file} -o another.mp4",
        Generate => $"sora generate --like {file} -o another.mp4",
        string command => $"sora {command} VIDEO --like {file} -o another.mp4",
    };

    /// <summary>Which command makes what a record describes.</summary>
    public static string CommandOf(GenerationRecord record) => record.Capability?.Split(' ')[0] ?? (record.Request.Strength is null ? Generate : "edit");

    /// <summary>Requires that what is about to be made is what a file's record says.</summary>
    /// <param name="file">The record of the file; null: nothing is repeated.</param>
    /// <param name="now">The record of what is about to be made.</param>
    /// <param name="line">The command line.</param>
    /// <exception cref="SoraException">The file cannot be repeated with this.</exception>
    public static void RequireSame(GenerationRecord? file, GenerationRecord now, ParseResult line)
    {
        if (file is null)
            return;
        if (file.GivenFrames is not null && file.GivenFrames != now.GivenFrames)
        {
            throw new SoraException(CommandOf(file) != Generate
                ? $"The file was made from other frames than those given: from pixels of hash {file.GivenFrames}, and these have {now.GivenFrames}; give the same {(CommandOf(file) == "connect" ? "videos" : "video")}, or leave out --like."
                : now.GivenFrames is null
                    ? "The file was made from pictures, which it does not carry; give them again with --first, --last and --known."
                    : "The file was made from other pictures, or at other places; give those with --first, --last and --known.");
        }
        if (line.GetValue(GenerateOptions.Model) is null && file.ModelFingerprint is not null && file.ModelFingerprint != now.ModelFingerprint)
        {
            throw new SoraException(
                $"The file was made with the model {file.Model} of hash {file.ModelFingerprint}, and this is {now.Model} of hash {now.ModelFingerprint}; name the model with --model, or another one for another video.");
        }
    }
}
