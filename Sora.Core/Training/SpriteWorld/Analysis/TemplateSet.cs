namespace Sora.Training.SpriteWorld.Analysis;

/// <summary>All templates of a world at one analysis resolution.</summary>
internal sealed class TemplateSet
{
    // How far a size may be from one that was found at another resolution, and how many pixels a place.
    private const float SizesApart = 0.09f;
    private const int Reach = 3;

    private readonly ILookup<(Subject, SubjectColour), Template> _byLook;

    public TemplateSet(World world, int shortSide, IEnumerable<float> extents)
    {
        _byLook = (
            from subject in world.Config.Subjects
            from colour in world.Config.Colours
            from pose in SpriteAtlas.PosesOf(subject)
            from extent in extents
            select Template.Of(subject, colour, world.Atlas.Get(subject, colour, pose), extent, shortSide))
            .ToLookup(template => (template.Subject, template.Colour));
    }

    /// <summary>What a subject can look like: a subject in a colour.</summary>
    public IEnumerable<(Subject Subject, SubjectColour Colour)> Looks => _byLook.Select(group => group.Key);

    /// <summary>One look in every pose and size.</summary>
    public IEnumerable<Template> Of((Subject, SubjectColour) look) => _byLook[look];

    /// <summary>A look where it explains a frame best about where and how large it was seen before.</summary>
    /// <param name="look">One of <see cref="Looks"/>.</param>
    /// <param name="search">At this resolution.</param>
    /// <param name="t">The frame.</param>
    /// <param name="around">Where it was seen.</param>
    public Sighting Near((Subject, SubjectColour) look, TemplateSearch search, int t, Sighting around) => Of(look)
        .Where(template => MathF.Abs(template.Extent - around.Extent) < SizesApart)
        .Select(template => search.Near(template, t, around, Reach))
        .MaxBy(found => found.Gain);
}
