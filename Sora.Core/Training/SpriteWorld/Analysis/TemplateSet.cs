namespace Sora.Training.SpriteWorld.Analysis;

/// <summary>All templates of a world at one analysis resolution.</summary>
internal sealed class TemplateSet
{
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
}
