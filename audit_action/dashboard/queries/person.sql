-- One person in the lists of a run, by what GitHub or git knows them.
array[
  jsonb_build_array(jsonb_build_object('person', jsonb_build_object('login', %(person)s::text))),
  jsonb_build_array(jsonb_build_object('person', jsonb_build_object('email', %(person)s::text))),
  jsonb_build_array(jsonb_build_object('person', jsonb_build_object('name', %(person)s::text)))
]
