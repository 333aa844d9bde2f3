using Sora.Frames;

namespace Sora.Training.SpriteWorld;

/// <summary>The sprites of subjects, in every colour and pose. Immutable; safe for several threads.</summary>
public sealed class SpriteAtlas
{
    private readonly Dictionary<(string Subject, SubjectColour Colour, Pose Pose), Sprite> _sprites = [];

    /// <summary>Makes an atlas of drawings, by subject.</summary>
    /// <param name="drawings">Each subject's drawing, facing as <see cref="Subject.Facing"/> says.</param>
    public SpriteAtlas(IReadOnlyDictionary<Subject, Sprite> drawings)
    {
        Subjects = [.. drawings.Keys];
        foreach ((Subject subject, Sprite drawing) in drawings)
        {
            foreach (SubjectColour colour in Enum.GetValues<SubjectColour>())
            {
                Sprite painted = Recolouring.Apply(drawing, subject, colour);
                foreach (Pose pose in PosesOf(subject))
                    _sprites[(subject.Name, colour, pose)] = InPose(painted, subject.Facing, pose);
            }
        }
    }

    /// <summary>Where models/sprites.sh puts the sprites: ${SORA_CACHE:-~/.cache/sora}/sprites.</summary>
    public static string DefaultFolder => Path.Combine(
        Environment.GetEnvironmentVariable("SORA_CACHE") is { Length: > 0 } cache
            ? cache
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "sora"),
        "sprites");

    /// <summary>The subjects that it has.</summary>
    public IReadOnlyList<Subject> Subjects { get; }

    /// <summary>Reads the subjects' sprites from a folder.</summary>
    /// <param name="folder">The folder of "1f41f.png" and so on that models/sprites.sh prints.</param>
    /// <param name="subjects">The subjects to read; null: all of <see cref="SubjectCatalogue"/>.</param>
    /// <exception cref="SoraException">A sprite is missing or is not a picture.</exception>
    public static SpriteAtlas Load(string folder, IEnumerable<Subject>? subjects = null)
    {
        Subject[] wanted = [.. subjects ?? SubjectCatalogue.All];
        string[] paths = [.. wanted.Select(subject => Path.Combine(folder, subject.CodePoint + ".png"))];
        int missing = Array.FindIndex(paths, path => !File.Exists(path));
        if (missing >= 0)
            throw new SoraException($"The sprite of \"{wanted[missing]}\", {paths[missing]}, is missing; models/sprites.sh fetches the sprites.");

        var drawings = new Dictionary<Subject, Sprite>();
        foreach ((Subject subject, (int width, int height, byte[] rgba)) in wanted.Zip(PictureStack.Read(paths)))
            drawings[subject] = Sprite.FromRgba(width, height, rgba);
        return new SpriteAtlas(drawings);
    }

    /// <summary>The sprite of a subject in a colour and pose.</summary>
    /// <exception cref="SoraException">The atlas does not have that subject.</exception>
    internal Sprite Get(Subject subject, SubjectColour colour, Pose pose) =>
        _sprites.TryGetValue((subject.Name, colour, pose), out Sprite? sprite)
            ? sprite
            : throw new SoraException(
                $"The atlas has no sprite of \"{subject}\"; it has: {string.Join(", ", Subjects)}.");

    /// <summary>The poses in which clips show a subject.</summary>
    internal static IReadOnlyList<Pose> PosesOf(Subject subject) => subject.Facing switch
    {
        Facing.Front => [Pose.Upright],
        Facing.UpRight => [Pose.Left, Pose.Right, Pose.Upright, Pose.Down],
        _ => [Pose.Left, Pose.Right],
    };

    private static Sprite InPose(Sprite drawing, Facing facing, Pose pose) => facing switch
    {
        Facing.Front => drawing,
        Facing.Left => pose == Pose.Left ? drawing : drawing.Mirrored(),
        Facing.Right => pose == Pose.Right ? drawing : drawing.Mirrored(),
        _ => drawing.Turned(TurnOf(facing, pose).Degrees).Cropped(),
    };

    /// <summary>How far clockwise a drawing is turned in a pose, and whether it is mirrored.</summary>
    internal static (float Degrees, bool Mirrored) TurnOf(Facing facing, Pose pose) => facing switch
    {
        Facing.Front => (0, false),
        Facing.Left => (0, pose != Pose.Left),
        Facing.Right => (0, pose != Pose.Right),
        _ => (pose switch { Pose.Upright => -45f, Pose.Right => 45f, Pose.Down => 135f, _ => -135f }, false),
    };
}
