namespace Sora.Weights;

/// <summary>One part of a model, as <c>model_index.json</c> lists it.</summary>
/// <param name="Name">The folder that holds it, such as <c>transformer</c>.</param>
/// <param name="Library">The Python library of its class; null where the model has no such part.</param>
/// <param name="ClassName">Its class; null where the model has no such part.</param>
public sealed record ModelComponent(string Name, string? Library, string? ClassName)
{
    /// <summary>Whether the model has this part; the file writes <c>[null, null]</c> where it does not.</summary>
    public bool IsPresent => ClassName is not null;
}
