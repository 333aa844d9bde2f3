namespace Sora.Training.SpriteWorld;

/// <summary>A background that clips take place in: a row of <see cref="SceneCatalogue"/>.</summary>
public sealed class Scene
{
    internal Scene(string name, Action<SceneCanvas, ClipRandom> paint, params IReadOnlyList<string> phrases)
    {
        Name = name;
        Paint = paint;
        Phrases = phrases;
    }

    /// <summary>"deep sea"</summary>
    public string Name { get; }

    /// <summary>How captions say it: "in the deep sea". Each contains a word of no other scene.</summary>
    public IReadOnlyList<string> Phrases { get; }

    /// <summary>Whether there is a ground to walk on, from about 0.6 of the height down.</summary>
    public bool HasGround { get; init; }

    /// <summary>Whether it is under water.</summary>
    public bool IsWater { get; init; }

    /// <summary>Whether the time of day shows.</summary>
    public bool HasSky { get; init; }

    /// <summary>Paints it; the random numbers are those of the clip's scene seed.</summary>
    internal Action<SceneCanvas, ClipRandom> Paint { get; }

    /// <summary>The name.</summary>
    public override string ToString() => Name;
}
